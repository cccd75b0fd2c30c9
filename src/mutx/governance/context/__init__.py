"""What a session has done so far, in bounded space and constant time per turn (DESIGN §2)."""

from mutx.governance.context.accumulator import ContextAccumulator
from mutx.governance.context.delta import ContextDelta, SessionOpening
from mutx.governance.context.observation import Observation
from mutx.governance.context.session import ActionRecord, DataAccess, PendingOutput, SessionContext

__all__ = [
    "ActionRecord",
    "ContextAccumulator",
    "ContextDelta",
    "DataAccess",
    "Observation",
    "PendingOutput",
    "SessionContext",
    "SessionOpening",
]
