"""Following the audit log: what `mutx tail` listens to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from mutx.contract.audit import AuditEvent, AuditLag
from mutx.governance.turn import Event
from mutx.governance.types import Caller
from mutx.kit.clock import to_datetime
from mutx.resources.audit import follow as module
from mutx.resources.audit.follow import follow
from tests.resources.governed import Governed, Somebody


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    ana = await plane.person()
    await ana.apply()
    await plane.settle()
    return ana


def _auditor(plane: Governed, ana: Somebody) -> Caller:
    return replace(plane.agent(ana), agent_id=None, scopes=("audit:admin",))


async def _next(events: AsyncIterator[Any]) -> Any:
    """The next event that is no comment."""
    while (event := await anext(events)).data is None:
        continue
    return event.data


async def _listening(events: AsyncIterator[Any]) -> "asyncio.Task[Any]":
    task = asyncio.create_task(_next(events))
    await asyncio.sleep(0)
    return task


async def test_turns_and_other_news_are_told_as_they_happen(plane: Governed, ana: Somebody) -> None:
    events = follow(plane.services, _auditor(plane, ana), None)
    hearing = await _listening(events)
    decided = await plane.decide(plane.agent(ana), "drop")
    told = await hearing
    assert isinstance(told, AuditEvent)
    assert (told.event_id, told.event_type, told.payload["effect"]) == (decided.receipt_id, "POLICY_CHECK", "deny")
    await plane.audit.send([_start(ana, plane.clock.now())])
    assert (await _next(events)).event_type == "AGENT_START"


async def test_a_stream_begins_where_it_is_told_to(plane: Governed, ana: Somebody) -> None:
    agent, since = plane.agent(ana), plane.clock.now() + 1
    await plane.decide(agent, "drop")
    plane.clock.advance(1)
    first = await plane.decide(agent, "drop")
    plane.clock.advance(1)
    await plane.audit.send([_start(ana, plane.clock.now())])
    events = follow(plane.services, _auditor(plane, ana), to_datetime(since))
    assert (await _next(events)).event_id == first.receipt_id
    second = await plane.decide(agent, "drop")
    assert (await _next(events)).event_type == "AGENT_START"
    assert (await _next(events)).event_id == second.receipt_id


async def test_what_a_stream_cannot_begin_with_is_named(
    plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CATCH_UP", 1)
    agent, since = plane.agent(ana), to_datetime(plane.clock.now())
    await plane.decide(agent, "drop")
    plane.clock.advance(1)
    last = await plane.decide(agent, "drop")
    events = follow(plane.services, _auditor(plane, ana), since)
    lag = await _next(events)
    assert isinstance(lag, AuditLag)
    assert lag.since == since
    assert (await _next(events)).event_id == last.receipt_id


async def test_a_slow_reader_is_told_from_when_to_read_again(plane: Governed, ana: Somebody) -> None:
    events = follow(plane.services, _auditor(plane, ana), None)
    hearing = await _listening(events)
    plane.clock.advance(1)
    await plane.decide(plane.agent(ana), "drop")
    told = await hearing
    for _ in range(300):
        plane.services.bus.publish(f"audit:{ana.workspace_id}", {"event_id": "gone"})
    lag = await _next(events)
    assert isinstance(lag, AuditLag)
    assert lag.since == told.timestamp


async def test_one_hears_of_ones_own(plane: Governed, ana: Somebody) -> None:
    bob = await plane.person("bob")
    await bob.apply()
    own = replace(_auditor(plane, ana), scopes=("audit:read",))
    events = follow(plane.services, own, to_datetime(plane.clock.now()) + timedelta(seconds=1))
    hearing = await _listening(events)
    await plane.decide(plane.agent(bob), "drop")
    await plane.decide(replace(plane.agent(ana), user_id="somebody-else"), "drop", "theirs")
    await plane.audit.send([_start(ana, plane.clock.now())])
    mine = await plane.decide(plane.agent(ana), "drop")
    assert (await hearing).event_id == mine.receipt_id


async def test_silence_is_broken_by_a_comment(plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)
    assert (await anext(follow(plane.services, _auditor(plane, ana), None))).comment == "still here"


def _start(ana: Somebody, at: float) -> Event:
    return Event(topic="audit.agents", workspace_id=ana.workspace_id, at=at, payload={"event_type": "AGENT_START"})
