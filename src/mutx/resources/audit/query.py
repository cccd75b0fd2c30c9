"""Which audit events are meant, and which of them a caller may see."""

from datetime import datetime

from msgspec import Struct

from mutx.governance.types import Caller
from mutx.resources.audit.turns import KINDS
from mutx.storage.views import TurnFilter
from mutx.web.access import covers


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which events; None: whichever."""

    agent_id: str | None = None
    session_id: str | None = None
    run_id: str | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def session(self) -> str | None:
        """The session whose turns are meant: a run's calls stand in the session of its name."""
        return self.session_id or self.run_id

    @property
    def nowhere(self) -> bool:
        """Whether session and run contradict each other: then no turn is meant."""
        return None not in (self.session_id, self.run_id) and self.session_id != self.run_id


class AuditScope(Struct, frozen=True):
    """What one caller may see: all of the workspace with an audit role, else what is their own."""

    workspace_id: str
    agent_id: str | None = None
    """Of an agent's key: that agent's events only."""
    user_id: str | None = None
    """Of a person without an audit role: what was done for them, and what they did."""

    @classmethod
    def of(cls, caller: Caller) -> "AuditScope":
        if caller.agent_id is not None:
            return cls(caller.workspace_id, agent_id=caller.agent_id)
        if covers(caller.scopes, "audit:admin"):
            return cls(caller.workspace_id)
        return cls(caller.workspace_id, user_id=caller.user_id)

    def turns(self, which: AuditQuery) -> TurnFilter | None:
        """`which` and the scope as a filter of turns; None where no turn can match."""
        foreign = None not in (self.agent_id, which.agent_id) and self.agent_id != which.agent_id
        other_type = which.event_type is not None and which.event_type not in KINDS
        if foreign or other_type or which.nowhere:
            return None
        return TurnFilter(
            session_id=which.session,
            agent_id=self.agent_id or which.agent_id,
            user_id=self.user_id,
            kind=KINDS[which.event_type] if which.event_type else None,
            since=_shown_from(which.since),
            until=_shown_from(which.until),
        )

    @property
    def own_turns(self) -> TurnFilter:
        """Every turn that the caller may see."""
        return TurnFilter(agent_id=self.agent_id, user_id=self.user_id)


def _shown_from(moment: datetime | None) -> float | None:
    """The first time, in seconds, that is shown as `moment`: shown times are rounded to microseconds."""
    return None if moment is None else moment.timestamp() - 5e-7
