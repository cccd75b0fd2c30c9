"""Deciding: idempotence, permits, dependencies, limits, sessions."""

import asyncio
from itertools import pairwise

import pytest
from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.replay import recompute
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Effect, ReasonCode
from mutx.kit.errors import ActionReused, Conflict, InputError, NotFound, PermissionDenied, PermitRefused
from tests.governance.pipeline.world import ANA, BEN, BOT, World, agent, call

POLICY = """
    name: house
    rules:
      - {id: reads, match: {tool: "read*"}, effect: allow}
      - {id: shell, match: {tool: shell}, effect: deny, reason: no shells}
      - {id: mail, match: {tool: mail}, effect: modify, modify: [{redact: body, detector: ssn}]}
      - {id: pay, match: {tool: pay}, effect: step_up}
      - {id: rated, match: {tool: rated}, effect: allow, rate: {per_minute: 2}}
"""


@pytest.fixture
def world() -> World:
    return World(POLICY)


async def test_an_allowed_call_gets_a_permit_and_a_denied_one_does_not(world: World) -> None:
    allowed = await world.decide("read_file", path="a.txt")
    denied = await world.decide("shell", command="rm")

    assert (allowed.effect, allowed.decision.rule.id) == (Effect.ALLOW, "reads")
    assert allowed.permit
    assert allowed.permit_expires_at == pytest.approx(world.clock.now() + 60)
    assert (denied.effect, denied.decision.reason, denied.permit) == (Effect.DENY, "no shells", None)
    await world.recomputed()


async def test_a_modified_call_is_permitted_with_the_modified_arguments_only(world: World) -> None:
    answer = await world.decide("mail", body="SSN 219-09-9999", to="x@example.com")

    assert answer.effect is Effect.MODIFY
    assert answer.modified_args == {"body": "SSN [REDACTED:ssn]", "to": "x@example.com"}
    with pytest.raises(PermitRefused):
        await world.pipeline.redeem(answer.permit, {"body": "SSN 219-09-9999", "to": "x@example.com"}, BOT)
    redeemed = await world.pipeline.redeem(answer.permit, answer.modified_args, BOT)
    assert redeemed.action_id == answer.action_id


async def test_nothing_unknown_is_allowed(world: World) -> None:
    answer = await world.decide("launch")
    assert (answer.effect, answer.decision.reason_code) == (Effect.DENY, ReasonCode.DEFAULT)


async def test_the_same_action_id_is_answered_alike_and_recorded_once(world: World) -> None:
    first = await world.decide("read_file", _action_id="action-0001", path="a")
    world.restart()
    again = await world.decide("read_file", _action_id="action-0001", path="a")

    assert again == replace(first, replayed=True)
    assert len(await world.turns()) == 1


async def test_the_same_action_id_with_other_content_is_refused(world: World) -> None:
    await world.decide("read_file", _action_id="action-0001", path="a")
    for other in ({"path": "b"}, {"path": "a", "_operation": "write"}):
        with pytest.raises(ActionReused):
            await world.decide("read_file", _action_id="action-0001", **other)
    world.restart()
    with pytest.raises(ActionReused):
        await world.decide("read_file", _action_id="action-0001", path="b")


async def test_two_callers_with_one_action_id_at_once_share_one_decision(world: World) -> None:
    calls = [world.decide("read_file", _action_id="action-0001", path="a") for _ in range(20)]
    answers = await asyncio.gather(*calls)
    assert {answer.receipt_id for answer in answers} == {answers[0].receipt_id}
    assert len(await world.turns()) == 1


async def test_a_spent_or_expired_permit_is_not_given_out_again(world: World) -> None:
    spent = await world.decide("read_file", _action_id="action-0001", path="a")
    await world.pipeline.redeem(spent.permit, {"path": "a"}, BOT)
    with pytest.raises(PermitRefused, match="spent"):
        await world.pipeline.redeem(spent.permit, {"path": "a"}, BOT)
    again = await world.decide("read_file", _action_id="action-0001", path="a")
    assert (again.effect, again.permit) == (Effect.ALLOW, None)

    late = await world.decide("read_file", _action_id="action-0002", path="a")
    world.clock.advance(61)
    with pytest.raises(PermitRefused, match="expired"):
        await world.pipeline.redeem(late.permit, {"path": "a"}, BOT)
    again = await world.decide("read_file", _action_id="action-0002", path="a")
    assert (again.effect, again.permit, again.outcome) == (Effect.ALLOW, None, OutcomeStatus.UNKNOWN)


async def test_twenty_redemptions_at_once_succeed_once(world: World) -> None:
    answer = await world.decide("read_file", path="a")
    tries = [world.pipeline.redeem(answer.permit, {"path": "a"}, BOT) for _ in range(20)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in done) == 1


@pytest.mark.parametrize(
    "forge", [lambda p: p[:-4] + "AAAA", lambda p: "mutx1.e30." + p.split(".")[2], lambda p: "x", lambda p: p + "AA"]
)
async def test_a_forged_permit_is_refused(world: World, forge) -> None:
    answer = await world.decide("read_file", path="a")
    with pytest.raises(PermitRefused):
        await world.pipeline.redeem(forge(answer.permit), {"path": "a"}, BOT)


async def test_an_agents_key_speaks_for_itself_only(world: World) -> None:
    other = agent("other")
    answer = await world.decide("read_file", path="a")
    with pytest.raises(PermissionDenied, match=f"speaks for the agent {other.agent_id} only"):
        await world.pipeline.decide(call("read_file"), other)
    with pytest.raises(PermissionDenied):
        await world.pipeline.redeem(answer.permit, {"path": "a"}, other)
    with pytest.raises(PermissionDenied):
        await world.pipeline.conclude(answer.action_id, Outcome(status=OutcomeStatus.EXECUTED), other)
    with pytest.raises(PermissionDenied):
        await world.pipeline.status(answer.action_id, other)


async def test_another_workspace_sees_nothing_of_an_action(world: World) -> None:
    stranger = agent("bot", workspace_id="ws-2")
    world.policies.install(POLICY, workspace_id="ws-2")
    answer = await world.decide("read_file", path="a")
    with pytest.raises(NotFound):
        await world.pipeline.status(answer.action_id, stranger)
    with pytest.raises(NotFound):
        await world.pipeline.conclude(answer.action_id, Outcome(status=OutcomeStatus.EXECUTED), stranger)
    with pytest.raises(PermitRefused):
        await world.pipeline.redeem(answer.permit, {"path": "a"}, stranger)


async def test_an_outcome_is_recorded_once_and_spends_the_permit(world: World) -> None:
    answer = await world.decide("read_file", path="a")
    outcome = Outcome(status=OutcomeStatus.EXECUTED, result={"text": "hello"})
    first = await world.pipeline.conclude(answer.action_id, outcome, BOT)
    world.restart()
    again = await world.pipeline.conclude(answer.action_id, outcome, BOT)

    assert (again.receipt_id, again.replayed) == (first.receipt_id, True)
    with pytest.raises(Conflict):
        await world.pipeline.conclude(answer.action_id, Outcome(status=OutcomeStatus.ERROR), BOT)
    with pytest.raises(PermitRefused):
        await world.pipeline.redeem(answer.permit, {"path": "a"}, BOT)
    await world.recomputed()


async def test_two_different_outcomes_at_once_leave_one(world: World) -> None:
    answer = await world.decide("read_file", path="a")
    outcomes = [Outcome(status=OutcomeStatus.EXECUTED, result=n) for n in range(10)]
    done = await asyncio.gather(
        *(world.pipeline.conclude(answer.action_id, one, BOT) for one in outcomes), return_exceptions=True
    )
    assert sum(not isinstance(one, Exception) for one in done) == 1
    assert [turn.kind for turn in await world.turns()] == ["decision", "outcome"]


async def test_only_an_allowed_action_has_an_outcome(world: World) -> None:
    denied = await world.decide("shell")
    with pytest.raises(Conflict):
        await world.conclude(denied)
    with pytest.raises(NotFound):
        await world.pipeline.conclude("no-such-action", Outcome(status=OutcomeStatus.EXECUTED), BOT)


async def test_a_rate_limit_counts_what_was_allowed(world: World) -> None:
    effects = [(await world.decide("rated")).effect for _ in range(3)]
    assert effects == [Effect.ALLOW, Effect.ALLOW, Effect.DENY]
    world.clock.advance(120)
    assert (await world.decide("rated")).effect is Effect.ALLOW
    await world.recomputed()


async def test_a_rate_limit_holds_under_concurrent_sessions(world: World) -> None:
    answers = await asyncio.gather(*(world.pipeline.decide(call("rated", session=f"s{n}"), BOT) for n in range(20)))
    assert sum(answer.effect.runs for answer in answers) == 2


async def test_a_child_of_a_denied_action_is_denied_and_of_an_allowed_one_is_not(world: World) -> None:
    denied, allowed = await world.decide("shell"), await world.decide("read_a")
    child = await world.decide("read_b", _parent_action_id=denied.action_id)
    other = await world.decide("read_b", _parent_action_id=allowed.action_id)
    assert (child.effect, child.decision.reason_code) == (Effect.DENY, ReasonCode.DEPENDENCY_DENIED)
    assert other.effect is Effect.ALLOW
    with pytest.raises(NotFound):
        await world.decide("read_b", _parent_action_id="no-such-action")


async def test_a_call_on_a_delegation_is_denied_where_none_are_kept(world: World) -> None:
    denied = await world.pipeline.decide(call("read", _delegation="token"), BOT)
    assert (denied.effect, denied.decision.reason_code) == (Effect.DENY, ReasonCode.DELEGATION_INVALID)
    assert "keeps no delegations" in denied.decision.reason


async def test_a_closed_session_allows_nothing(world: World) -> None:
    await world.decide("read_a")
    await world.ledger.close_session("ws-1", "s", world.clock.now())
    answer = await world.decide("read_b")
    assert (answer.effect, answer.decision.reason_code) == (Effect.DENY, ReasonCode.SESSION_CLOSED)


async def test_a_dry_run_leaves_no_trace(world: World) -> None:
    decision = await world.pipeline.dry_run(call("pay"), BOT)
    assert decision.effect is Effect.STEP_UP
    assert await world.turns() == []


async def test_a_caller_may_ask_for_a_person_where_the_policy_would_allow(world: World) -> None:
    asked = await world.decide("read_a", ask=True)
    assert (asked.effect, asked.decision.reason_code) == (Effect.STEP_UP, ReasonCode.REQUIRES_APPROVAL)
    assert (await world.decide("shell", ask=True)).effect is Effect.DENY
    assert (await world.approve(asked)).effect is Effect.ALLOW
    await world.recomputed()


async def test_a_failing_engine_denies_and_leaves_a_receipt(world: World) -> None:
    engine = world.policies.current("ws-1")
    broken = type(
        "Broken",
        (),
        {"version": engine.version, "tool": engine.tool, "thresholds": engine.thresholds, "evaluate": lambda *_: 1 / 0},
    )()
    world.policies._current["ws-1"] = broken
    answer = await world.decide("read_a")
    assert (answer.effect, answer.decision.reason_code) == (Effect.DENY, ReasonCode.ENGINE_ERROR)
    assert len(await world.turns()) == 1


async def test_turns_of_one_session_never_fork_and_time_never_runs_backwards(world: World) -> None:
    await asyncio.gather(*(world.decide("read_a", path=str(n)) for n in range(50)))
    world.clock.advance(-3600)
    await world.decide("read_a")
    turns = await world.turns()
    assert [turn.seq for turn in turns] == list(range(1, 52))
    assert all(later.prev == earlier.receipt.hash for earlier, later in pairwise(turns))
    assert all(later.at >= earlier.at for earlier, later in pairwise(turns))
    await world.recomputed()


@pytest.mark.parametrize("value", [float("nan"), "\ud800", 2**60])
async def test_what_json_cannot_hold_is_refused_without_a_trace(world: World, value: object) -> None:
    with pytest.raises(InputError):
        await world.decide("read_a", path=value)
    assert await world.turns() == []


async def test_a_flood_of_questions_ends_in_denials(world: World) -> None:
    answers = [await world.decide("pay", amount=n) for n in range(70)]
    assert [answer.effect for answer in answers].count(Effect.STEP_UP) == 64
    assert answers[-1].decision.reason_code is ReasonCode.TOO_MANY_WAITING
    await world.recomputed()


async def test_people_may_govern_calls_under_their_own_name(world: World) -> None:
    answer = await world.pipeline.decide(call("read_a", agent_id="any"), ANA)
    assert answer.effect is Effect.ALLOW
    assert (await world.pipeline.status(answer.action_id, BEN)).action_id == answer.action_id


async def test_a_context_that_does_not_follow_is_told_apart(world: World) -> None:
    """Whoever recomputes turns finds the one whose context is not what the turns before it make."""
    await world.run("read")
    await world.run("read")
    first, *rest = await world.turns()
    found = recompute([first, *rest[1:]], ContextAccumulator(), world.policies.versions.__getitem__)
    assert {one.field for one in found if one.turn_id == rest[1].id} >= {"context"}


async def test_a_question_that_the_caller_asks_for_charges_no_limit(world: World) -> None:
    """The charge comes with the release; a question must not cost what its answer will cost again."""
    for _ in range(5):
        assert (await world.decide("rated", ask=True)).decision.charges == ()
    assert (await world.decide("rated")).effect is Effect.ALLOW
