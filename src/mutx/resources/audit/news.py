"""Audit entries that are no turn: who signed in, what was changed, who voted. The outbox sink writes them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.resources.audit.chain import Head, check
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.query import AuditQuery, AuditScope

PAGE = 500
MAX_ERRORS = 100
MAX_CHECKED = 200_000
"""Entries of a chain that one export recomputes."""


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

    async def verify(self) -> tuple[Head, list[str]]:
        """Recompute the workspace's chain, a page at a time; the first errors, if any."""
        head, errors = Head(), list[str]()
        while page := await self._after(head.sequence):
            for row in page:
                errors += check(row, head)
                head = Head(row.sequence, row.integrity_hash)
            if head.sequence >= MAX_CHECKED:
                errors.append(f"entries after {head.sequence} were not checked: there are too many for one export")
            if head.sequence >= MAX_CHECKED or len(errors) >= MAX_ERRORS:
                break
        return head, errors[:MAX_ERRORS]

    async def _after(self, sequence: int) -> Sequence[AuditEventRow]:
        query = (
            select(AuditEventRow)
            .where(AuditEventRow.workspace_id == self._scope.workspace_id, AuditEventRow.sequence > sequence)
            .order_by(AuditEventRow.sequence)
        )
        return (await self._session.scalars(query.limit(PAGE))).all()

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
        if which.since is not None:
            found.append(row.timestamp >= which.since)
        if which.until is not None:
            found.append(row.timestamp < which.until)
        return found
