"""The adapters there are, and the proof that each one holds on the framework version installed here."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import NamedTuple

from mutx_agent.errors import DoorUnreachable
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json, Transport


class Adapter(NamedTuple):
    """A framework's adapter: the distribution it adapts, and the module that does it (with a `probe`)."""

    distribution: str
    module: str


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {"langchain": Adapter(distribution="langchain", module="mutx_agent.adapters.langchain")}
)


class HookNotProved(Exception):
    """On the installed version a tool ran that was denied, or did not run that was allowed: do not rely on it."""


class Proof(NamedTuple):
    """What was shown, and for which version."""

    adapter: str
    version: str


class _Verdict(Transport):
    """Answers every question the same way; exists only inside a proof. `None`: nobody answers."""

    def __init__(self, decision: str | None) -> None:
        self._decision = decision

    def call(self, verb: str, body: Json) -> Json:
        if self._decision is None:
            raise DoorUnreachable("the control plane of this proof is down", sent=False)
        return {**body, "decision": self._decision, "reason": "the proof says so", "permit": "proof", "receipt_id": ""}


def prove(name: str) -> Proof:
    """Run the framework itself: an allowed spy tool runs once, a denied or undecided one never does.

    Raises HookNotProved otherwise, KeyError for an unknown adapter, ImportError when the framework is missing.
    """
    adapter = ADAPTERS[name]
    try:
        installed = version(adapter.distribution)
    except PackageNotFoundError as error:
        raise ImportError(f"{name} is not installed: pip install {adapter.distribution}") from error
    for decision, expected in (("allow", 1), ("deny", 0), (None, 0)):
        runs = _runs(adapter, _Verdict(decision))
        if runs != expected:
            raise HookNotProved(
                f"{adapter.distribution} {installed}: a spy tool ran {runs} times, not {expected}, "
                f"when the decision was {decision or 'missing'}"
            )
    return Proof(name, installed)


def _runs(adapter: Adapter, transport: Transport) -> int:
    """How often a spy tool ran inside the framework under this transport."""
    seen: list[None] = []
    import_module(adapter.module).probe(Governor(transport), lambda: seen.append(None))
    return len(seen)
