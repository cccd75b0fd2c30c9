"""Following requests as they open and change: what `mutx approvals --watch` listens to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mutx.contract.approvals import Approval
from mutx.governance.turn import Verdict
from mutx.governance.types import Caller
from mutx.kit.errors import PermissionDenied
from mutx.resources.approvals import follow
from mutx.resources.approvals.service import Approvals
from tests.resources.governed import Governed, Somebody


def _approvals(plane: Governed, caller: Caller) -> Approvals:
    return Approvals(plane.services.pipeline, plane.services.ledger, caller)


def _changes(plane: Governed, caller: Caller) -> AsyncIterator[Any]:
    return follow.changes(_approvals(plane, caller), plane.services.bus, plane.clock)


async def _next(events: AsyncIterator[Any]) -> Approval:
    while (event := await anext(events)).data is None:
        continue
    assert isinstance(event.data, Approval)
    return event.data


async def _waiting(plane: Governed) -> tuple[Somebody, Caller]:
    ana = await plane.person()
    await ana.apply()
    return ana, plane.agent(ana)


async def test_what_waits_is_told_first_then_what_changes(plane: Governed) -> None:
    ana, agent = await _waiting(plane)
    first = await plane.decide(agent, "pay", amount=1)
    events = _changes(plane, agent)
    assert (await _next(events)).id == first.request.id
    second = await plane.decide(agent, "pay", amount=2)
    told = await _next(events)
    assert (told.id, told.status) == (second.request.id, "PENDING")
    await ana.post(f"/v1/approvals/{second.request.id}/approve")
    told = await _next(events)
    assert (told.id, told.status, told.approver) == (second.request.id, "APPROVED", ana.user_id)


async def test_an_agents_key_hears_of_its_own_requests_only(plane: Governed) -> None:
    ana, agent = await _waiting(plane)
    events = _changes(plane, agent)
    hearing = asyncio.create_task(_next(events))
    await asyncio.sleep(0)
    await plane.decide(plane.agent(ana, "another"), "pay", "elsewhere")
    mine = await plane.decide(agent, "pay")
    assert (await hearing).id == mine.request.id
    page, total = await _approvals(plane, agent).page(None, "another", 0, 10)
    assert (list(page), total) == ([], 0)


async def test_a_slow_reader_is_told_again_what_waits(plane: Governed) -> None:
    _, agent = await _waiting(plane)
    asked = await plane.decide(agent, "pay")
    events = _changes(plane, agent)
    assert (await _next(events)).id == asked.request.id
    topic = f"approvals:{agent.workspace_id}"
    for _ in range(300):
        plane.services.bus.publish(topic, {"request_id": "gone"})
    assert (await _next(events)).id == asked.request.id


async def test_silence_is_broken_by_a_comment(plane: Governed, monkeypatch: Any) -> None:
    monkeypatch.setattr(follow, "RECHECK", 0.0)
    _, agent = await _waiting(plane)
    assert (await anext(_changes(plane, agent))).comment == "still here"


async def test_a_wait_ends_when_the_request_does(plane: Governed, monkeypatch: Any) -> None:
    monkeypatch.setattr(follow, "RECHECK", 0.001)
    _, agent = await _waiting(plane)
    asked = await plane.decide(agent, "pay")
    waiting = follow.until_resolved(_approvals(plane, agent), plane.services.bus, plane.clock, asked.request.id, 60.0)
    assert (await anext(waiting)).event == "pending"
    plane.clock.advance(301)
    await plane.services.pipeline.sweep()
    resolved = await anext(waiting)
    assert (resolved.event, resolved.data.status) == ("resolved", "EXPIRED")
    assert [event async for event in waiting] == []


async def test_an_agents_key_never_resolves(plane: Governed) -> None:
    _, agent = await _waiting(plane)
    asked = await plane.decide(agent, "pay")
    for attempt in (
        _approvals(plane, agent).resolve(asked.request.id, Verdict.APPROVE),
        _approvals(plane, agent).revoke_grant("any", 0.0),
    ):
        with pytest.raises(PermissionDenied, match="never approves"):
            await attempt
