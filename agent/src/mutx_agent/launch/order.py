"""What the launcher tells every process below it. It travels in the environment, so it holds no secret."""

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from mutx_agent.scope import Scope

VARIABLE = "MUTX_RUN"
SCOPE_VARIABLE = "MUTX_RUN_SCOPE"
BOOTSTRAP = os.path.join(os.path.dirname(__file__), "bootstrap")
"""The directory whose `sitecustomize` every governed Python process runs first."""
PACKAGE = os.path.dirname(os.path.dirname(__file__))
"""This package's own directory: the bootstrap loads it from here, whatever the program's environment has installed."""
REFUSED = 125
"""Exit status of a process that could not be governed, as env(1) and timeout(1) use it for their own failures."""
PORTABLE = ("session_id", "agent_id", "user_id", "original_request", "stated_intent", "parent_action_id")


class Order(NamedTuple):
    """One run: where to ask, as whom, and what to do about what cannot be proved."""

    socket: str
    agent_id: str
    session_id: str
    allow_unproved: bool = False
    extra: tuple[str, ...] = ()
    """Names of further variables that every child process inherits, whatever environment it is given."""


def to_environment(order: Order) -> dict[str, str]:
    """The variables that carry an order. PYTHONPATH comes on top: see `with_bootstrap`."""
    return {
        VARIABLE: json.dumps({**order._asdict(), "package": PACKAGE}),
        "MUTX_SOCKET": order.socket,
        "MUTX_AGENT_ID": order.agent_id,
        "MUTX_SESSION_ID": order.session_id,
    }


def from_environment(environment: Mapping[str, str]) -> Order:
    """Raises KeyError, ValueError or TypeError: whoever cannot read its order must not go on."""
    told = json.loads(environment[VARIABLE])
    del told["package"]
    return Order(**{**told, "extra": tuple(told["extra"])})


def with_bootstrap(python_path: str | None) -> str:
    """PYTHONPATH with the bootstrap first, wherever it stood before."""
    rest = [entry for entry in (python_path or "").split(os.pathsep) if entry and entry != BOOTSTRAP]
    return os.pathsep.join([BOOTSTRAP, *rest])


def portable(scope: Scope) -> Scope:
    """What of a scope means something in another process."""
    return Scope(**{name: value for name, value in scope._asdict().items() if name in PORTABLE})


def scope_to_text(scope: Scope) -> str:
    return json.dumps({name: value for name, value in portable(scope)._asdict().items() if value is not None})


def scope_from_text(text: str) -> Scope:
    return Scope(**json.loads(text))
