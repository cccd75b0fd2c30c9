"""Audit events as they happen. The bus only wakes; what is told is always read from the store."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from fastapi.sse import ServerSentEvent

from mutx.contract.audit import AuditEvent, AuditLag
from mutx.governance.types import Caller
from mutx.kit.clock import to_datetime
from mutx.resources.audit.news import AuditEntries
from mutx.resources.audit.query import AuditQuery, AuditScope
from mutx.resources.audit.service import AuditLog
from mutx.resources.audit.turns import turn_event
from mutx.resources.audit.views import audit_event
from mutx.storage.coordination import LAGGED
from mutx.web.services import Services

HEARTBEAT_SECONDS = 5.0
CATCH_UP = 1000
"""Events that a stream begins with at most; what lies before them is left to `/audit/events`."""

EVENT = "audit"


async def follow(app: Services, caller: Caller, after: datetime | None) -> AsyncIterator[ServerSentEvent]:
    """Every event that the caller may see, from `after` on, each once; a `lagged` one where some were left out."""
    scope, told = AuditScope.of(caller), set[str]()
    last = to_datetime(app.clock.now()) if after is None else after
    async with app.bus.subscribe(f"decisions:{scope.workspace_id}", f"audit:{scope.workspace_id}") as news:
        if after is not None:
            missed, total = await _since(app, caller, after)
            if total > len(missed):
                yield _lag(after)
            for found in missed:
                told.add(found.event_id)
                yield ServerSentEvent(event=EVENT, data=found)
        while True:
            heard = await news.get(HEARTBEAT_SECONDS)
            if heard is None:
                yield ServerSentEvent(comment="still here")
                continue
            if heard[0] == LAGGED:
                yield _lag(last)
                continue
            event = await _read(app, scope, heard[1])
            if event is not None and event.event_id not in told:
                last = max(last, event.timestamp)
                yield ServerSentEvent(event=EVENT, data=event)


def _lag(since: datetime) -> ServerSentEvent:
    return ServerSentEvent(event=LAGGED, data=AuditLag(since=since))


async def _since(app: Services, caller: Caller, after: datetime) -> tuple[list[AuditEvent], int]:
    """The last of them, in order, and how many there are in all."""
    async with app.database.read() as session:
        log = AuditLog(app.ledger, session, app.keys, app.sealer, caller)
        events, total = await log.page(AuditQuery(since=after), 0, CATCH_UP)
    return list(reversed(events)), total


async def _read(app: Services, scope: AuditScope, said: Mapping[str, str]) -> AuditEvent | None:
    """The event that the bus speaks of; None if it is not the caller's to see."""
    if receipt_id := said.get("receipt_id"):
        turn = await app.ledger.receipt(scope.workspace_id, receipt_id)
        return turn_event(turn) if turn is not None and scope.own_turns.matches(turn) else None
    if event_id := said.get("event_id"):
        async with app.database.read() as session:
            row = await AuditEntries(session, scope).get(event_id)
        return None if row is None else audit_event(row, app.sealer)
    return None
