"""Who did what, in order. Written by the outbox sink alone; here it is read and verified."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.audit import AuditEvent, AuditExport
from mutx.governance.types import Caller
from mutx.kit.errors import TooLarge
from mutx.resources.audit.chain import ALGORITHM, SCHEMA_VERSION, Head, check
from mutx.resources.audit.entries import trace_of
from mutx.resources.audit.models import AuditEventRow
from mutx.web.access import covers

PAGE = 500
MAX_ERRORS = 100
MAX_EXPORT = 20_000
"""Entries of one export."""


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which entries; None: whichever."""

    agent_id: str | None = None
    session_id: str | None = None
    run_id: str | None = None
    event_type: str | None = None
    trace_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The entries that one caller may see: all of the workspace with an audit role, else the caller's own."""

    def __init__(self, session: AsyncSession, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def page(self, which: AuditQuery, skip: int, limit: int) -> tuple[Sequence[AuditEventRow], int]:
        """Newest first, and how many there are."""
        conditions = self._conditions(which)
        total = await self._session.scalar(select(func.count()).select_from(AuditEventRow).where(*conditions))
        query = select(AuditEventRow).where(*conditions).order_by(AuditEventRow.sequence.desc())
        return (await self._session.scalars(query.offset(skip).limit(limit))).all(), total or 0

    async def trace(self, trace_id: str) -> Sequence[AuditEventRow]:
        """The entries of one trace, in order."""
        query = select(AuditEventRow).where(*self._conditions(AuditQuery(trace_id=trace_of(trace_id))))
        return (await self._session.scalars(query.order_by(AuditEventRow.sequence).limit(MAX_EXPORT))).all()

    async def export(self, which: AuditQuery) -> AuditExport:
        """The entries in order, with the verdict on the workspace's whole chain. Raises TooLarge."""
        query = select(AuditEventRow).where(*self._conditions(which)).order_by(AuditEventRow.sequence)
        rows = (await self._session.scalars(query.limit(MAX_EXPORT + 1))).all()
        if len(rows) > MAX_EXPORT:
            raise TooLarge(f"more than {MAX_EXPORT} entries; export one session or run at a time")
        head, errors = await self.verify()
        return AuditExport(
            schema_version=SCHEMA_VERSION,
            algorithm=ALGORITHM,
            run_id=which.run_id,
            session_id=which.session_id,
            event_count=len(rows),
            chain_root=head.hash,
            verified=not errors,
            errors=errors,
            events=[audit_event(row) for row in rows],
        )

    async def verify(self) -> tuple[Head, list[str]]:
        """Recompute the workspace's chain, a page at a time; the first errors, if any."""
        head, errors = Head(), list[str]()
        while page := await self._after(head.sequence):
            for row in page:
                errors += check(row, head)
                head = Head(row.sequence, row.integrity_hash)
            if len(errors) >= MAX_ERRORS:
                break
        return head, errors[:MAX_ERRORS]

    async def _after(self, sequence: int) -> Sequence[AuditEventRow]:
        query = (
            select(AuditEventRow)
            .where(AuditEventRow.workspace_id == self._caller.workspace_id, AuditEventRow.sequence > sequence)
            .order_by(AuditEventRow.sequence)
        )
        return (await self._session.scalars(query.limit(PAGE))).all()

    def _conditions(self, which: AuditQuery) -> list[ColumnElement[bool]]:
        row = AuditEventRow
        equal = {
            row.agent_id: which.agent_id,
            row.session_id: which.session_id,
            row.run_id: which.run_id,
            row.event_type: which.event_type,
            row.trace_id: which.trace_id,
        }
        found = [row.workspace_id == self._caller.workspace_id]
        found += [column == value for column, value in equal.items() if value is not None]
        if which.since is not None:
            found.append(row.timestamp >= which.since)
        if which.until is not None:
            found.append(row.timestamp < which.until)
        return found + self._scope()

    def _scope(self) -> list[ColumnElement[bool]]:
        caller, row = self._caller, AuditEventRow
        if caller.agent_id is not None:
            return [row.agent_id == caller.agent_id]
        if covers(caller.scopes, "audit:admin"):
            return []
        return [or_(row.user_id == caller.user_id, row.actor_id == caller.user_id)]


def audit_event(row: AuditEventRow) -> AuditEvent:
    return AuditEvent.model_validate(row)
