"""What a write checks in its transaction: limits, requests, grants, permits."""

import asyncio

import pytest
from msgspec.structs import replace

from mutx.governance.turn import RequestStatus
from mutx.governance.types import Effect
from mutx.kit.clock import ManualClock
from mutx.kit.errors import LimitMoved, RequestMoved
from mutx.storage.views import LedgerStore
from tests.conformance.scribe import Scribe, charge

WS, S = "ws-1", "s-1"
KEY = charge().key


async def test_charges_count_at_once_and_stop_at_the_limit(ledger: LedgerStore, scribe: Scribe) -> None:
    assert ledger.counter(WS, KEY) == 0
    state = await scribe.state()
    under_way = ledger.append(state, scribe.decided(state, scribe.action(), scribe.decision(Effect.ALLOW, charge(2))))
    assert ledger.counter(WS, KEY) == 2
    await under_way
    with pytest.raises(LimitMoved):
        await scribe.allow(S, charge(2))
    assert ledger.counter(WS, KEY) == 2
    await scribe.allow(S, charge(1))
    assert ledger.counter(WS, KEY) == 3
    assert ledger.counter("ws-2", KEY) == 0


async def test_two_charges_of_one_turn_on_one_key_count_together(ledger: LedgerStore, scribe: Scribe) -> None:
    with pytest.raises(LimitMoved):
        await scribe.allow(S, charge(2), charge(2))
    assert ledger.counter(WS, KEY) == 0
    await scribe.allow(S, charge(2), charge(1))
    assert ledger.counter(WS, KEY) == 3


async def test_sessions_racing_for_a_limit_never_pass_it(ledger: LedgerStore, scribe: Scribe) -> None:
    tries = [scribe.allow(f"s-{n}", charge(1, limit=4)) for n in range(10)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, LimitMoved) for result in results) == 6
    assert ledger.counter(WS, KEY) == 4


async def test_an_outcome_charges_nothing_again(ledger: LedgerStore, scribe: Scribe) -> None:
    turn = await scribe.allow(S, charge(3))
    await scribe.conclude(turn)
    assert ledger.counter(WS, KEY) == 3


async def test_counters_are_forgotten_with_their_window(ledger: LedgerStore, scribe: Scribe) -> None:
    windowed = replace(charge(3), window_end=100.0)
    await scribe.allow("s-1", windowed, charge(3, key="budget"))
    await ledger.prune_counters(100.0)
    with pytest.raises(LimitMoved):
        await scribe.allow("s-2", windowed)
    await ledger.prune_counters(101.0)
    await scribe.allow("s-2", windowed)
    with pytest.raises(LimitMoved):
        await scribe.allow("s-2", charge(1, key="budget"))


async def test_a_request_is_found_by_id_and_token_and_by_its_workspace_only(
    ledger: LedgerStore, scribe: Scribe
) -> None:
    _, request = await scribe.wait()
    assert await ledger.request(WS, request.id) == request
    assert await ledger.request(WS, request.token) == request
    assert await ledger.request("ws-2", request.id) is None


async def test_requests_are_listed_newest_first_and_filtered(ledger: LedgerStore, scribe: Scribe) -> None:
    made = [(await scribe.wait(f"s-{n}"))[1] for n in range(3)]
    answered = replace(made[1], status=RequestStatus.DENIED, revision=1, decided_at=1.0)
    await ledger.save_request(answered, ())
    pending, total = await ledger.requests(WS, status=RequestStatus.PENDING)
    assert ([request.id for request in pending], total) == ([made[2].id, made[0].id], 2)
    page, total = await ledger.requests(WS, skip=1, limit=1)
    assert (list(page), total) == ([answered], 3)
    assert (await ledger.requests(WS, session_id="s-2"))[1] == 1
    assert (await ledger.requests(WS, agent_id="agent-9"))[1] == 0
    assert (await ledger.requests("ws-2"))[1] == 0


async def test_a_vote_needs_the_revision_it_read(ledger: LedgerStore, scribe: Scribe) -> None:
    turn, request = await scribe.wait()
    await ledger.save_request(replace(request, revision=1, escalates_at=None), ())
    with pytest.raises(RequestMoved):
        await ledger.save_request(replace(request, revision=1), ())
    known = await ledger.action(WS, turn.action.id)
    assert known is not None
    assert known.request is not None
    assert known.request.revision == 1


async def test_two_approvers_at_once_release_once(ledger: LedgerStore, scribe: Scribe) -> None:
    turn, request = await scribe.wait()
    state = await scribe.state()
    answered = replace(request, status=RequestStatus.APPROVED, revision=1)
    grant = scribe.grant(uses=2)
    first = scribe.resolved(state, turn.action, scribe.decision(), (answered,), (grant,))
    await ledger.append(state, first)
    with pytest.raises(RequestMoved):
        await ledger.append(state, scribe.resolved(state, turn.action, scribe.decision(), (answered,)))
    known = await ledger.action(WS, turn.action.id)
    assert known is not None
    assert (known.effect, known.request, known.permit) == (Effect.ALLOW, answered, first.permit)
    assert (known.seq, known.receipt_id) == (turn.seq, first.id)
    assert list(await ledger.grants(WS, "agent-1", "mail.send", scribe.clock.now())) == [grant]


async def test_what_is_due_comes_by_time(ledger: LedgerStore, scribe: Scribe, clock: ManualClock) -> None:
    now = clock.now()
    _, late = await scribe.wait("s-1", expires_at=now + 300, escalates_at=None)
    _, soon = await scribe.wait("s-2", expires_at=now + 200, escalates_at=now + 50)
    assert await ledger.due(now + 49) == []
    assert list(await ledger.due(now + 50)) == [soon]
    assert list(await ledger.due(now + 400)) == [soon, late]
    assert list(await ledger.due(now + 400, limit=1)) == [soon]
    await ledger.save_request(replace(soon, status=RequestStatus.EXPIRED, revision=1), ())
    assert list(await ledger.due(now + 400)) == [late]


async def test_an_outcome_spends_the_permit(ledger: LedgerStore, scribe: Scribe) -> None:
    turn = await scribe.allow()
    await scribe.conclude(turn)
    assert not await ledger.redeem(WS, turn.action.id, "permit", 7.0)


async def test_a_grant_is_spent_as_often_as_it_says(ledger: LedgerStore, scribe: Scribe) -> None:
    grant = scribe.grant(uses=2)
    await ledger.add_grant(grant)
    by_grant = scribe.decision(Effect.ALLOW, grant_id=grant.id)
    first = await scribe.decide(scribe.action(), by_grant)
    await scribe.conclude(first)
    assert [g.uses_left for g in await ledger.grants(WS, "agent-1", "mail.send", 0.0)] == [1]
    await scribe.decide(scribe.action(), by_grant)
    with pytest.raises(LimitMoved):
        await scribe.decide(scribe.action(), by_grant)
    assert await ledger.grants(WS, "agent-1", "mail.send", 0.0) == []


async def test_grants_end_by_time_and_by_revocation(ledger: LedgerStore, scribe: Scribe, clock: ManualClock) -> None:
    kept, revoked = scribe.grant(), scribe.grant()
    other = scribe.grant(tool_name="pay")
    for grant in (kept, revoked, other):
        await ledger.add_grant(grant)
    assert await ledger.revoke_grant(WS, revoked.id, 5.0)
    assert not await ledger.revoke_grant(WS, revoked.id, 6.0)
    assert not await ledger.revoke_grant("ws-2", kept.id, 6.0)
    assert list(await ledger.grants(WS, "agent-1", "mail.send", clock.now())) == [kept]
    assert await ledger.grants(WS, "agent-1", "mail.send", kept.expires_at) == []
    listed, total = await ledger.list_grants(WS)
    assert ([g.id for g in listed], total) == ([other.id, revoked.id, kept.id], 3)
    assert listed[1].revoked_at == 5.0
    assert (await ledger.list_grants(WS, agent_id="agent-9"))[1] == 0
    with pytest.raises(LimitMoved):
        await scribe.decide(scribe.action(), scribe.decision(Effect.ALLOW, grant_id=revoked.id))


async def test_a_permit_is_spent_once(ledger: LedgerStore, scribe: Scribe) -> None:
    turn = await scribe.allow()
    assert turn.permit is not None
    tries = [ledger.redeem(WS, turn.action.id, turn.permit.id, 7.0) for _ in range(5)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]
    known = await ledger.action(WS, turn.action.id)
    assert known is not None
    assert known.redeemed_at == 7.0
