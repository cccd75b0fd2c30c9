"""The outbox sink that writes the audit log: what was committed reaches it, once, in order."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.resources.audit.chain import Head, seal
from mutx.resources.audit.entries import entry
from mutx.resources.audit.models import AuditEventRow
from mutx.storage.engine import Database


class AuditSink:
    """`governance.ports.Sink`. Delivering an event again changes nothing."""

    name = "audit"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, events: Sequence[Event]) -> None:
        """Append all of `events` in one transaction. Raises Unavailable, and then none of them was."""
        if not events:
            return
        async with self._database.write() as session:
            in_order = sorted(events, key=lambda event: event.workspace_id)  # stable: order within one is kept
            for workspace_id, own in groupby(in_order, key=lambda event: event.workspace_id):
                await _append(session, workspace_id, [entry(event) for event in own])


async def _append(session: AsyncSession, workspace_id: str, rows: Sequence[AuditEventRow]) -> None:
    known = await _known(session, workspace_id, [row.event_id for row in rows])
    head = await _head(session, workspace_id)
    for row in rows:
        if row.event_id not in known:
            known.add(row.event_id)
            head = seal(row, head)
            session.add(row)


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
