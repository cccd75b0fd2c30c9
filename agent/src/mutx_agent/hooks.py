"""The adapters there are, and the proof that each one holds on the framework version installed here.

`docs/frameworks.md` says which paths of which versions the adapters' suite has proved.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from mutx_agent.errors import DoorRefused
from mutx_agent.transport.base import Json, Transport

if TYPE_CHECKING:
    from mutx_agent.governor import Governor

Probe = Callable[["Governor", Callable[[], None]], None]


class Adapter(NamedTuple):
    """A framework's adapter: the distribution it adapts, the module that does it, and the import that arms it.

    The module has `install(governor=None)`, which intercepts every tool call and returns what undoes it, and its proof,
    `probe_installed`; `probe` for the framework's official hook, where it has one. Each has the framework call a tool
    that calls the given spy. `HOOK_PACKAGE` is the import name of what that hook needs besides the distribution.
    """

    distribution: str
    module: str
    trigger: str


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        name: Adapter(distribution, f"mutx_agent.adapters.{name}", trigger)
        for name, distribution, trigger in (
            ("langchain", "langchain-core", "langchain_core"),
            ("openai_agents", "openai-agents", "agents"),
            ("pydantic_ai", "pydantic-ai-slim", "pydantic_ai"),
            ("mcp", "mcp", "mcp.client.session"),
            ("crewai", "crewai", "crewai"),
            ("google_adk", "google-adk", "google.adk"),
            ("strands", "strands-agents", "strands"),
            ("llama_index", "llama-index-core", "llama_index.core"),
            ("agent_framework", "agent-framework-core", "agent_framework"),
            ("autogen", "autogen-core", "autogen_core"),
            ("ag2", "ag2", "ag2"),
            ("smolagents", "smolagents", "smolagents"),
            ("haystack", "haystack-ai", "haystack"),
            ("agno", "agno", "agno"),
            ("mem0", "mem0ai", "mem0"),
            ("dspy", "dspy", "dspy"),
            ("semantic_kernel", "semantic-kernel", "semantic_kernel"),
            ("coinbase_agentkit", "coinbase-agentkit", "coinbase_agentkit"),
            ("claude_agent_sdk", "claude-agent-sdk", "claude_agent_sdk"),
        )
    }
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
            raise DoorRefused("internal_error", "the control plane of this proof has failed")
        return {**body, "decision": self._decision, "reason": "the proof says so", "permit": "proof", "receipt_id": ""}


def install(name: str, governor: "Governor | None" = None) -> Callable[[], None]:
    """Govern every tool call of a framework in this process; returns what undoes it.

    Raises KeyError for an unknown adapter, ImportError without the framework, HookNotFound for a version without the place.
    """
    undo: Callable[[], None] = _module(name).install(governor)
    return undo


def prove(name: str, *, official: bool = True) -> Proof:
    """Run the framework itself: an allowed spy tool runs once, a denied or undecided one never does.

    Each way in is put to the test: the installed interception, and the framework's official hook unless `official` is
    false (a program that has nothing but the interception need not import what only the hook needs).
    Raises HookNotProved otherwise, KeyError for an unknown adapter, ImportError when the framework is missing.
    """
    from importlib.metadata import version

    module, distribution = _module(name), ADAPTERS[name].distribution
    installed = version(distribution)
    for probe in _probes(module, official):
        for decision, expected in (("allow", 1), ("deny", 0), (None, 0)):
            runs = _runs(probe, _Verdict(decision))
            if runs != expected:
                raise HookNotProved(
                    f"{distribution} {installed}: a spy tool ran {runs} times, not {expected}, "
                    f"when the decision was {decision or 'missing'} ({probe.__name__})"
                )
    return Proof(name, installed)


def _probes(module: ModuleType, official: bool) -> tuple[Probe, ...]:
    from importlib.util import find_spec

    needed: str | None = getattr(module, "HOOK_PACKAGE", None)
    if not official or not hasattr(module, "probe") or (needed is not None and find_spec(needed) is None):
        return (module.probe_installed,)
    return (module.probe, module.probe_installed)


def _module(name: str) -> ModuleType:
    from importlib.metadata import PackageNotFoundError, version

    adapter = ADAPTERS[name]
    try:
        version(adapter.distribution)
    except PackageNotFoundError as error:
        raise ImportError(f"{name} is not installed: pip install {adapter.distribution}") from error
    return import_module(adapter.module)


def _runs(probe: Probe, transport: Transport) -> int:
    """How often a spy tool ran inside the framework under this transport."""
    from mutx_agent.governor import Governor

    seen: list[Any] = []
    probe(Governor(transport), lambda: seen.append(None))
    return len(seen)
