"""What each Python process below `mutx run` does before its program: take its identity, arm the hooks, report itself."""

import atexit
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mutx_agent.errors import DoorError
from mutx_agent.launch.children import Children
from mutx_agent.launch.gate import FrameworkGate, Tell, shout
from mutx_agent.launch.importing import ImportWatch
from mutx_agent.launch.order import SCOPE_VARIABLE, Order, from_environment, scope_from_text
from mutx_agent.scope import CURRENT, Scope
from mutx_agent.transport.unix import SocketTransport

if TYPE_CHECKING:
    from mutx_agent.hooks import Adapter


def activate() -> None:
    """Raises whatever keeps this process from being governed."""
    from mutx_agent.hooks import ADAPTERS

    order = from_environment(os.environ)
    _inherit(order)
    line = SocketTransport(order.socket, timeout=30.0)
    tell = partial(_tell, line)
    tell("joined", {"program": " ".join(sys.orig_argv)[:200], "python": sys.version.split()[0]})
    gate = FrameworkGate(ADAPTERS, tell, allow_unproved=order.allow_unproved)
    children = Children(order, tell)
    children.guard_exec()
    watch = ImportWatch(triggers(ADAPTERS, gate, children), gate.settle)
    watch.start()
    atexit.register(_tell_missed, watch, ADAPTERS, tell)


def _tell_missed(watch: ImportWatch, adapters: "Mapping[str, Adapter]", tell: Tell) -> None:
    """At the end of the process: a framework that came in past the hooks was not governed, and the run's last receipt says so."""
    missed = frozenset(watch.missed())
    for name, adapter in adapters.items():
        if adapter.trigger in missed:
            tell("unproved", {"adapter": name, "reason": "it was loaded past the hooks, and ran ungoverned"})
            shout(f"WARNING: {name} was loaded past the hooks and ran NOT governed")


def triggers(
    adapters: "Mapping[str, Adapter]", gate: FrameworkGate, children: Children
) -> dict[str, Callable[[], None]]:
    """Module name -> what to do when it has been imported."""
    steps: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
    for name, adapter in adapters.items():
        steps[adapter.trigger].append(partial(gate.install, name))
    for module, step in children.steps.items():
        steps[module].append(step)
    return {module: partial(_all, tuple(wanted)) for module, wanted in steps.items()}


def _all(steps: tuple[Callable[[], None], ...]) -> None:
    for step in steps:
        step()


def _inherit(order: Order) -> None:
    """The session and agent of the run; in a child process, what its parent was doing as well."""
    handed = os.environ.pop(SCOPE_VARIABLE, None)
    scope = scope_from_text(handed) if handed else Scope()
    CURRENT.set(
        scope._replace(session_id=scope.session_id or order.session_id, agent_id=scope.agent_id or order.agent_id)
    )


def _tell(line: SocketTransport, what: str, details: Mapping[str, Any]) -> None:
    """News for the launcher. Without a launcher there is nobody to ask either, so `joined` must arrive."""
    try:
        line.call(what, {"pid": os.getpid(), **details})
    except DoorError as error:
        if what == "joined":
            raise
        shout(f"the launcher could not be told `{what}`: {error}")
