"""What lives inside an agent's process: the governor that asks before every tool call.

    from mutx_agent import govern

    @govern
    def wire(amount: int, to: str) -> str: ...

Standard library only. Adapters for agent frameworks are in `mutx_agent.adapters`, the client that registers an agent,
sends heartbeats and fetches commands in `mutx_agent.client`, what `mutx run` puts into programs in `mutx_agent.launch`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mutx_agent.errors import ActionDenied, ApprovalTimeout, ControlPlaneUnreachable, OutcomeNotRecorded
    from mutx_agent.governor import Governor
    from mutx_agent.process import govern

__all__ = ["ActionDenied", "ApprovalTimeout", "ControlPlaneUnreachable", "Governor", "OutcomeNotRecorded", "govern"]


def __getattr__(name: str) -> Any:
    """Each name is loaded when it is used: every process below `mutx run` imports this package, and few of them act."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = {"govern": "process", "Governor": "governor"}.get(name, "errors")
    value = globals()[name] = getattr(import_module(f"mutx_agent.{home}"), name)
    return value
