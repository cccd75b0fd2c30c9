"""What callers do to the log: report what only agents know, erase what must not be kept."""

from sqlalchemy import select

from mutx.contract.audit import AuditReport
from mutx.governance.turn import Event
from mutx.governance.types import Caller
from mutx.kit.canonical import canonical
from mutx.kit.clock import Clock
from mutx.kit.errors import InputError, NotFound, TooLarge
from mutx.kit.ids import new_id
from mutx.resources.audit.chain import erase
from mutx.resources.audit.checking import ERASED_ONE
from mutx.resources.audit.classes import RetentionClass
from mutx.resources.audit.models import AuditEventRow
from mutx.services.siem.record import record
from mutx.storage.engine import Database
from mutx.storage.outbox import tell
from mutx.storage.views import LedgerStore

MAX_REPORT = 16_384
"""Bytes of a reported payload as JSON."""


class AuditChanges:
    """On behalf of one caller."""

    def __init__(self, database: Database, ledger: LedgerStore, caller: Caller, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._caller = caller
        self._clock = clock

    async def report(self, report: AuditReport) -> str:
        """The event's id. Raises NotFound for another agent than the caller's own, TooLarge."""
        if self._caller.agent_id not in (None, report.agent_id):
            raise NotFound(f"no agent {report.agent_id}")
        if len(canonical(report.payload)) > MAX_REPORT:
            raise TooLarge(
                f"a reported payload holds at most {MAX_REPORT} bytes; leave texts out, or name them by hash"
            )
        said = report.model_dump(mode="json", exclude={"payload"}, exclude_none=True)
        event = self._event({**said, "report": report.payload})
        async with self._database.write() as session:
            await tell(session, [event])
        return record(event).event_id

    async def erase(self, event_id: str) -> None:
        """Raises NotFound; InputError for an entry about the log itself, which says what was erased."""
        if not await self._erase_entry(event_id):
            if not await self._ledger.erase(self._caller.workspace_id, event_id):
                raise NotFound(f"no audit event {event_id}")
            async with self._database.write() as session:
                await tell(session, [self._event({"event_type": ERASED_ONE, "receipt_id": event_id})])

    async def _erase_entry(self, event_id: str) -> bool:
        async with self._database.write() as session:
            mine = (AuditEventRow.workspace_id == self._caller.workspace_id, AuditEventRow.event_id == event_id)
            row = (await session.scalars(select(AuditEventRow).where(*mine))).first()
            if row is None:
                return False
            if row.retention == RetentionClass.AUDIT:
                raise InputError("entries about the log itself stay: they say what was erased")
            if row.salt is not None:
                erase(row)
                await tell(session, [self._event({"event_type": ERASED_ONE, "sequence": row.sequence})])
        return True

    def _event(self, said: dict[str, object]) -> Event:
        caller = self._caller
        who = {"actor_type": caller.kind.value, "actor_id": caller.principal_id, "user_id": caller.user_id}
        who["news_id"] = new_id()  # the same may happen twice in one moment, and both are told
        return Event(topic="audit.log", workspace_id=caller.workspace_id, at=self._clock.now(), payload=said | who)
