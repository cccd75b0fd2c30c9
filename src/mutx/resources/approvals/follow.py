"""Requests as they open and change. The bus only wakes; what is told is always read from the ledger."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.sse import ServerSentEvent

from mutx.contract.approvals import ApprovalState
from mutx.kit.clock import Clock
from mutx.kit.errors import NotFound
from mutx.resources.approvals.service import Approvals
from mutx.storage.coordination import Bus

RECHECK = 5.0
"""Seconds after which a waiting stream looks for itself, should a wake-up have been lost."""

MAX_WAIT = 3600.0
CATCH_UP = 100
EVENT = "approval"


async def changes(approvals: Approvals, bus: Bus, clock: Clock) -> AsyncIterator[ServerSentEvent]:
    """What is pending now, then every change. A slow reader that missed some is told what is pending again."""
    async with bus.subscribe(f"approvals:{approvals.workspace_id}") as news:
        async for event in _pending(approvals, clock):
            yield event
        while True:
            heard = await news.get(RECHECK)
            if heard is None:
                yield ServerSentEvent(comment="still here")
            elif "request_id" in heard[1]:
                async for event in _one(approvals, clock, heard[1]["request_id"]):
                    yield event
            else:
                async for event in _pending(approvals, clock):
                    yield event


async def until_resolved(
    approvals: Approvals, bus: Bus, clock: Clock, request_id: str, seconds: float
) -> AsyncIterator[ServerSentEvent]:
    """`pending` at once and on every vote, `resolved` at the end; ends unresolved after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(max(seconds, 0.0), MAX_WAIT)
    request = await approvals.get(request_id)
    told = -1
    async with bus.subscribe(f"request:{request.workspace_id}:{request.id}") as news:
        while True:
            request = await approvals.get(request.id)
            view = await approvals.view(request, clock.now())
            pending = view.status is ApprovalState.PENDING
            if request.revision != told:
                told = request.revision
                yield ServerSentEvent(event="pending" if pending else "resolved", data=view)
            left = deadline - loop.time()
            if left <= 0 or not pending:
                return
            await news.get(min(left, RECHECK))


async def _pending(approvals: Approvals, clock: Clock) -> AsyncIterator[ServerSentEvent]:
    found, _ = await approvals.page(ApprovalState.PENDING, None, 0, CATCH_UP)
    for request in reversed(found):
        yield ServerSentEvent(event=EVENT, data=await approvals.view(request, clock.now()))


async def _one(approvals: Approvals, clock: Clock, request_id: str) -> AsyncIterator[ServerSentEvent]:
    try:
        request = await approvals.get(request_id)
    except NotFound:  # another agent's, seen with an agent's key
        return
    yield ServerSentEvent(event=EVENT, data=await approvals.view(request, clock.now()))
