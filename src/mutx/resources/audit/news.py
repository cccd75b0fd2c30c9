"""Audit entries that are no turn: who signed in, what was changed, who voted. `trail` writes them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.resources.audit.query import AuditQuery, AuditScope


class AuditEntries:
    """The entries within one scope."""

    def __init__(self, session: AsyncSession, scope: AuditScope) -> None:
        self._session = session
        self._scope = scope

    async def newest(self, which: AuditQuery, limit: int) -> tuple[Sequence[AuditEventRow], int]:
        """The last `limit`, newest first, and how many there are in all."""
        conditions = self._conditions(which)
        total = await self._session.scalar(select(func.count()).select_from(AuditEventRow).where(*conditions))
        newest_first = (AuditEventRow.timestamp.desc(), AuditEventRow.sequence.desc())
        query = select(AuditEventRow).where(*conditions).order_by(*newest_first).limit(limit)
        return (await self._session.scalars(query)).all(), total or 0

    async def of_trace(self, trace_id: str, limit: int) -> Sequence[AuditEventRow]:
        """In order."""
        conditions = [*self._conditions(AuditQuery()), AuditEventRow.trace_id == trace_id]
        query = select(AuditEventRow).where(*conditions).order_by(AuditEventRow.sequence).limit(limit)
        return (await self._session.scalars(query)).all()

    async def get(self, event_id: str) -> AuditEventRow | None:
        conditions = [*self._conditions(AuditQuery()), AuditEventRow.event_id == event_id]
        return (await self._session.scalars(select(AuditEventRow).where(*conditions))).first()

    async def end(self) -> AuditChainRow | None:
        """Where the workspace's chain ends; None before its first entry."""
        return await self._session.get(AuditChainRow, self._scope.workspace_id)

    async def after(self, sequence: int, limit: int) -> Sequence[AuditEventRow]:
        """The workspace's next entries in order, whoever asks: a chain is checked whole or not at all."""
        mine = (AuditEventRow.workspace_id == self._scope.workspace_id, AuditEventRow.sequence > sequence)
        query = select(AuditEventRow).where(*mine).order_by(AuditEventRow.sequence).limit(limit)
        return (await self._session.scalars(query)).all()

    def _conditions(self, which: AuditQuery) -> list[ColumnElement[bool]]:
        row, scope = AuditEventRow, self._scope
        equal = (
            (row.agent_id, which.agent_id),
            (row.agent_id, scope.agent_id),
            (row.session_id, which.session_id),
            (row.run_id, which.run_id),
            (row.event_type, which.event_type),
        )
        found = [row.workspace_id == scope.workspace_id]
        found += [column == value for column, value in equal if value is not None]
        if scope.user_id is not None:
            found.append(or_(row.user_id == scope.user_id, row.actor_id == scope.user_id))
        return found + between(which.since, which.until)


def between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """`since` included, `until` not."""
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(AuditEventRow.timestamp >= since)
    if until is not None:
        found.append(AuditEventRow.timestamp < until)
    return found
