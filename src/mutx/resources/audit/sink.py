"""The outbox sink that writes the entries that are no turn: what was committed reaches it, once, in order."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.resources.audit.chain import Head, seal
from mutx.resources.audit.entries import entry
from mutx.resources.audit.models import AuditEventRow
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database


class AuditSink:
    """`governance.ports.Sink`. Delivering an event again changes nothing."""

    name = "audit"
    topics: frozenset[str] | None = frozenset({"audit."})

    def __init__(self, database: Database, bus: Bus) -> None:
        """`bus` hears of each entry once it is on disk, as `audit:{workspace}`."""
        self._database = database
        self._bus = bus

    async def send(self, events: Sequence[Event]) -> None:
        """Append all of `events` in one transaction. Raises Unavailable, and then none of them was."""
        written: list[tuple[str, str]] = []
        async with self._database.write() as session:
            in_order = sorted(events, key=lambda event: event.workspace_id)  # stable: order within one is kept
            for workspace_id, own in groupby(in_order, key=lambda event: event.workspace_id):
                added = await _append(session, workspace_id, [entry(event) for event in own])
                written += [(workspace_id, event_id) for event_id in added]
        for workspace_id, event_id in written:
            self._bus.publish(f"audit:{workspace_id}", {"event_id": event_id})


async def _append(session: AsyncSession, workspace_id: str, rows: Sequence[AuditEventRow]) -> list[str]:
    """The event ids that are new."""
    known = await _known(session, workspace_id, [row.event_id for row in rows])
    head, added = await _head(session, workspace_id), list[str]()
    for row in rows:
        if row.event_id not in known:
            known.add(row.event_id)
            head = seal(row, head)
            session.add(row)
            added.append(row.event_id)
    return added


async def _known(session: AsyncSession, workspace_id: str, event_ids: list[str]) -> set[str]:
    query = select(AuditEventRow.event_id).where(
        AuditEventRow.workspace_id == workspace_id, AuditEventRow.event_id.in_(event_ids)
    )
    return set(await session.scalars(query))


async def _head(session: AsyncSession, workspace_id: str) -> Head:
    query = (
        select(AuditEventRow.sequence, AuditEventRow.integrity_hash)
        .where(AuditEventRow.workspace_id == workspace_id)
        .order_by(AuditEventRow.sequence.desc())
        .limit(1)
    )
    last = (await session.execute(query)).first()
    return Head(last[0], last[1]) if last else Head()
