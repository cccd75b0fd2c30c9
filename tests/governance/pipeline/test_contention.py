"""Other writers are faster: a verb starts over, and gives up without allowing anything. Nothing is recorded twice."""

import pytest
from msgspec.structs import replace

from mutx.governance import contention
from mutx.governance.answer import GrantSpec
from mutx.governance.turn import ApprovalRequest, Event, OutcomeStatus, RequestStatus, Turn, Verdict
from mutx.governance.types import Effect
from mutx.kit.errors import DuplicateAction, HeadMoved, LedgerUnavailable, LimitMoved, MutxError, NotFound, RequestMoved
from mutx.storage.memory import MemoryLedger
from mutx.storage.writer import Done
from tests.governance.pipeline.world import ANA, BEN, WORKSPACE, World

POLICY = """
name: house
rules:
  - {id: read, match: {tool: read}, effect: allow}
  - {id: pay, match: {tool: pay}, effect: step_up, approvers: {roles: [DEVELOPER]}}
  - {id: both, match: {tool: wire}, effect: step_up, approvers: {roles: [DEVELOPER]}, quorum: 2}
  - {id: late, match: {tool: late}, effect: step_up, timeout: 60s, escalate: {after: 60s}}
  - {id: rated, match: {tool: rated}, effect: step_up, rate: {per_session: 1}, approvers: {roles: [DEVELOPER]}}
  - {id: wait, match: {tool: guess}, effect: allow, when: args.sure == 1}
"""
FOREVER = 1000


class BusyLedger(MemoryLedger):
    """Refuses the next writes, as a ledger does whose session, limit or request another process moved first."""

    refusals: list[MutxError]
    votes_lost = 0
    lost = False

    def refuse(self, error: type[MutxError], times: int) -> None:
        self.refusals = [error("another writer was first") for _ in range(times)]

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        if self.refusals:
            raise self.refusals.pop()
        super()._submit(turn, snapshot, done)

    async def save_request(self, request: ApprovalRequest, events: tuple[Event, ...]) -> None:
        if self.votes_lost:
            self.votes_lost -= 1
            raise RequestMoved("another vote was first")
        await super().save_request(request, events)

    async def request(self, workspace_id: str, request_id: str) -> ApprovalRequest | None:
        return None if self.lost else await super().request(workspace_id, request_id)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contention, "LONGEST_PAUSE", 0.0001)


@pytest.fixture
def ledger(world: World) -> BusyLedger:
    made = BusyLedger(world.accumulator, world.clock)
    made.refusals = []
    world.ledger = made
    world.restart()
    return made


@pytest.fixture
def world() -> World:
    return World(POLICY)


@pytest.mark.parametrize("error", [HeadMoved, LimitMoved])
async def test_a_decision_starts_over(world: World, ledger: BusyLedger, error: type[MutxError]) -> None:
    ledger.refuse(error, 3)
    assert (await world.decide("read")).effect is Effect.ALLOW
    assert len(await world.turns()) == 1
    await world.recomputed()


async def test_a_decision_outlasts_a_session_that_many_replicas_write_to(world: World, ledger: BusyLedger) -> None:
    """Three replicas on three sessions lost 32 times in a row once in a few runs, and a call was refused for it."""
    ledger.refuse(HeadMoved, 100)
    assert (await world.decide("read")).effect is Effect.ALLOW


@pytest.mark.parametrize("error", [HeadMoved, LimitMoved])
async def test_a_decision_gives_up_and_allows_nothing(world: World, ledger: BusyLedger, error: type[MutxError]) -> None:
    ledger.refuse(error, FOREVER)
    with pytest.raises(LedgerUnavailable, match="nothing was allowed"):
        await world.decide("read")
    ledger.refusals = []
    assert await world.turns() == []


async def test_an_outcome_that_another_process_was_writing_is_looked_up(world: World, ledger: BusyLedger) -> None:
    answer = await world.decide("read")
    ledger.refuse(DuplicateAction, 1)
    await world.conclude(answer)
    assert [turn.outcome.status for turn in await world.turns() if turn.outcome] == [OutcomeStatus.EXECUTED]
    assert (await world.pipeline.status(answer.action_id, ANA)).outcome is OutcomeStatus.EXECUTED


async def test_an_outcome_starts_over_or_gives_up(world: World, ledger: BusyLedger) -> None:
    first, second = await world.decide("read"), await world.decide("read")
    ledger.refuse(HeadMoved, 3)
    await world.conclude(first)
    ledger.refuse(HeadMoved, FOREVER)
    with pytest.raises(LedgerUnavailable, match="was not recorded"):
        await world.conclude(second)
    ledger.refusals = []
    statuses = [turn.outcome.status for turn in await world.turns() if turn.outcome]
    assert statuses == [OutcomeStatus.EXECUTED]


@pytest.mark.parametrize("error", [HeadMoved, LimitMoved])
async def test_a_release_starts_over_or_gives_up(world: World, ledger: BusyLedger, error: type[MutxError]) -> None:
    first, second = await world.decide("pay"), await world.decide("pay")
    ledger.refuse(error, 3)
    assert (await world.approve(first, BEN)).effect is Effect.ALLOW
    ledger.refuse(error, FOREVER)
    with pytest.raises(LedgerUnavailable, match="still waits"):
        await world.approve(second, BEN)
    ledger.refusals = []
    assert (await world.approve(second, BEN)).effect is Effect.ALLOW
    await world.recomputed()


async def test_a_vote_is_cast_again_or_given_up(world: World, ledger: BusyLedger) -> None:
    asked = await world.decide("wire")
    ledger.votes_lost = 3
    assert (await world.approve(asked, ANA)).request.status is RequestStatus.PENDING
    ledger.votes_lost = FOREVER
    other = await world.decide("wire")
    with pytest.raises(LedgerUnavailable, match="too many people"):
        await world.approve(other, ANA)
    ledger.votes_lost = 0
    assert (await world.approve(asked, BEN)).effect is Effect.ALLOW


async def test_a_request_that_is_gone_meanwhile(world: World, ledger: BusyLedger) -> None:
    asked = await world.decide("wire")
    assert asked.request is not None
    ledger.votes_lost, ledger.lost = 1, True
    releases = world.pipeline._releases
    with pytest.raises(NotFound):
        await releases.answer(asked.request, Verdict.APPROVE, ANA, comment="", grant=None)


async def test_an_answer_that_somebody_else_gave_first(world: World, ledger: BusyLedger) -> None:
    """The sweep and a reconsideration leave it to them; nothing is recorded for them."""
    asked = await world.decide("guess")
    assert asked.request is not None
    assert asked.effect is Effect.DEFER
    before = len(await world.turns())
    stale = replace(asked.request, revision=7)
    releases = world.pipeline._releases
    await releases._refresh(stale)
    world.clock.advance(3600)
    await releases._refresh(asked.request)

    async def due(now: float, limit: int = 100) -> list[ApprovalRequest]:
        return [stale]

    ledger.due = due  # type: ignore[method-assign]
    assert await world.pipeline.sweep() == 1
    assert len(await world.turns()) == before
    assert (await world.pipeline.status(asked.action_id, ANA)).effect is Effect.DEFER


async def test_fresh_context_that_answers_nothing_leaves_a_deferral_waiting(world: World, ledger: BusyLedger) -> None:
    asked = await world.decide("guess")
    assert asked.effect is Effect.DEFER
    await world.run("read")
    assert (await world.pipeline.status(asked.action_id, ANA)).effect is Effect.DEFER
    assert [turn.kind for turn in await world.turns()] == ["decision", "decision", "outcome"]


async def test_a_grant_asked_for_with_a_denial_is_none(world: World, ledger: BusyLedger) -> None:
    asked = await world.decide("pay")
    assert (await world.resolve(asked, Verdict.DENY, BEN, grant=GrantSpec())).effect is Effect.DENY
    assert list(await ledger.grants(WORKSPACE, "bot", "pay", world.clock.now())) == []


async def test_a_question_costs_nothing_until_it_is_answered(world: World, ledger: BusyLedger) -> None:
    """A limit on an asking rule is charged at the release, once; the waiting decisions charge nothing."""
    asked = [await world.decide("rated") for _ in range(2)]
    assert [answer.decision.charges for answer in asked] == [(), ()]
    assert (await world.approve(asked[0], BEN)).effect is Effect.ALLOW
    assert (await world.approve(asked[1], BEN)).effect is Effect.DENY


async def test_an_escalation_after_the_deadline_never_comes(world: World, ledger: BusyLedger) -> None:
    asked = await world.decide("late")
    assert asked.request is not None
    assert asked.request.escalates_at is None
