"""The outbox sink that wakes who follows the log, and writes what was told without a session: votes, escalations."""

from collections.abc import Sequence
from itertools import groupby

from mutx.governance.turn import Event
from mutx.resources.audit.entries import entry
from mutx.resources.audit.trail import AuditTrail
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database


class AuditSink:
    """`governance.ports.Sink`. Delivering an event again changes nothing."""

    name = "audit"
    topics: frozenset[str] | None = frozenset({"audit."})

    def __init__(self, database: Database, bus: Bus, trail: AuditTrail) -> None:
        """`bus` hears of each entry once it is on disk, as `audit:{workspace}`."""
        self._database = database
        self._bus = bus
        self._trail = trail

    async def send(self, events: Sequence[Event]) -> None:
        """Append what is not in the log yet, in one transaction. Raises Unavailable, and then nothing was."""
        in_order = sorted(events, key=_workspace)  # stable: order within one is kept
        async with self._database.write() as session:
            for workspace_id, own in groupby(in_order, key=_workspace):
                await self._trail.append(session, workspace_id, list(own))
        for event in in_order:
            self._bus.publish(f"audit:{event.workspace_id}", {"event_id": entry(event).event_id})


def _workspace(event: Event) -> str:
    return event.workspace_id
