"""What lives inside an agent's process: the governor that asks before every tool call.

    from mutx_agent import govern

    @govern
    def wire(amount: int, to: str) -> str: ...

Standard library only. Adapters for agent frameworks are in `mutx_agent.adapters`, the client that registers an agent,
sends heartbeats and fetches commands in `mutx_agent.client`.
"""

from mutx_agent.errors import ActionDenied, ApprovalTimeout, ControlPlaneUnreachable, OutcomeNotRecorded
from mutx_agent.governor import Governor

__all__ = ["ActionDenied", "ApprovalTimeout", "ControlPlaneUnreachable", "Governor", "OutcomeNotRecorded", "govern"]

govern = Governor()
"""The process's own governor. The one object of this package that remembers something: a decorator at the top of a
file needs it before anything is configured, so it connects with the first call."""
