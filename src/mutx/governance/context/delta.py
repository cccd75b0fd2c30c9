"""What one turn changes in a session's context: values, never instructions to look anything up again."""

from functools import cached_property

import msgspec
from msgspec import Struct

from mutx.governance.context.session import ActionRecord, DataAccess
from mutx.governance.labels import UNKNOWN
from mutx.governance.provenance import Sighting
from mutx.governance.turn import OutcomeStatus
from mutx.governance.types import Confidentiality, Effect, IntentSignal, Label


class SessionOpening(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the first call of a session tells about it; part of what that call is decided on."""

    agent_id: str
    user_id: str
    original_request: str | None = None
    stated_intent: str | None = None
    mentioned: Sighting | None = None
    """Values in the request."""


class ContextDelta(Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One turn's changes. A decision has a `record`, a resolution an `effect` alone, an outcome a `status`, a note none of them."""

    at: float
    action_id: str
    opening: SessionOpening | None = None
    record: ActionRecord | None = None
    effect: Effect | None = None
    depth: int | None = None
    """The action waits from now on, this deep."""
    output: Label | None = None
    """What the action's output counts as until it concludes."""
    drift: float = 0.0
    step: float = 0.0
    """How far the action is from the request."""
    intent: IntentSignal = IntentSignal.UNKNOWN
    tool_name: str = ""
    """Of an action that was resolved: its record may be gone by then."""
    status: OutcomeStatus | None = None
    label: Label = UNKNOWN
    """Of the reported output."""
    lowered: Confidentiality | None = None
    """A declared declassifier ran: the session holds no more than this."""
    unreported: bool = False
    sightings: tuple[Sighting, ...] = ()
    access: DataAccess | None = None
    signals: tuple[str, ...] = ()
    """What guardrails found."""
    holds: Label | None = None
    """What the session holds from now on because of it."""

    @cached_property
    def encoded(self) -> bytes:
        """MessagePack; what the context's hash chain covers."""
        return msgspec.msgpack.encode(self)
