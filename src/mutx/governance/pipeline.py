"""The one path that every governed action takes.

    decide    a tool is about to run
    resolve   a person answered, a deadline passed, or fresh context answered a deferral
    conclude  the tool ran
    redeem    a permit is about to be used, once

Each verb gathers facts, computes a `Decision` from values alone (`judge`), and ends in the same tail (`Recorder`): seal
a receipt, append the turn, tell. Stages never call one another; only this file and `release.py` know their order.
Nothing is allowed before its receipt is on disk; whatever goes wrong earlier is a refusal.
"""

from typing import Any

from msgspec.structs import replace

from mutx.governance.answer import Answer, Conclusion, GrantSpec, Redemption
from mutx.governance.approvals import ApprovalService
from mutx.governance.contention import AT_ONCE, ATTEMPTS, pause
from mutx.governance.gather import OWN_RIGHT, Delegated, Dependencies, Gatherer, depends_on
from mutx.governance.judge import judge
from mutx.governance.limits import forbidden, silenced
from mutx.governance.mediator import ActionMediator
from mutx.governance.noting import SessionNotes
from mutx.governance.own_agent import require_own_agent
from mutx.governance.permits import Permits
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.ports import SessionState
from mutx.governance.recorder import Draft, Recorder
from mutx.governance.release import Releases
from mutx.governance.turn import ActionState, Outcome, OutcomeStatus, Turn, TurnKind, Verdict
from mutx.governance.types import Caller, Decision, Effect, Facts, GrantFact, LimitedVerb, NormalizedAction, ToolCall
from mutx.kit.canonical import digest
from mutx.kit.errors import (
    ActionReused,
    Conflict,
    DuplicateAction,
    HeadMoved,
    LedgerUnavailable,
    LimitMoved,
    NotFound,
    PermitRefused,
)
from mutx.kit.ids import new_id


class GovernancePipeline:
    """The three verbs, redemption and the questions around them."""

    def __init__(
        self,
        *,
        gather: Gatherer,
        mediator: ActionMediator,
        approvals: ApprovalService,
        permits: Permits,
        recorder: Recorder,
        releases: Releases,
    ) -> None:
        self._gather = gather
        self._ledger = gather.ledger
        self._mediator = mediator
        self._approvals = approvals
        self._permits = permits
        self._recorder = recorder
        self._releases = releases
        self.notes = SessionNotes(gather, mediator, recorder)

    # -- decide -------------------------------------------------------------------------------------------------

    async def decide(
        self, call: ToolCall, caller: Caller, *, ask: bool = False, ask_timeout: float | None = None
    ) -> Answer:
        """Decide a tool call before it runs. Idempotent on `call.action_id`.

        `ask`: the caller wants a person to look at it even where the policy would allow it, within `ask_timeout`
        seconds (None: the default).
        Raises InputError, PermissionDenied, NotFound, ActionReused, LedgerUnavailable; each means: not allowed.
        """
        require_own_agent(caller, call.agent_id)
        action_id = call.action_id or new_id()
        dependencies = await self._dependencies(call, caller)
        given = await self._delegated(call, caller)
        caller = replace(caller, delegation=given.chain) if given.chain else caller
        measured = None
        if self._gather.embedder is not None:
            measured = await self._gather.measure(caller.workspace_id, call.session_id, call)
        grants: tuple[GrantFact, ...] | None = None
        for tried in range(ATTEMPTS):
            if tried >= AT_ONCE:
                await pause(tried)
            engine = await self._gather.engine(caller.workspace_id)
            state = await self._gather.session(caller.workspace_id, call.session_id)
            now = self._gather.now(state)
            action = self._mediator.normalize(call, caller, tools=engine.tool, id=action_id, now=now)
            facts = _facts(state, caller, now, dependencies, grants or (), ask, ask_timeout)
            if caller.limits or given is not OWN_RIGHT:
                facts = _narrowed(facts, caller, action, given)
            if self._gather.paused is not None and self._gather.paused(caller.workspace_id, action.agent_id):
                facts = replace(facts, paused=True)
            if measured is not None:
                facts = replace(facts, measured=measured)
            draft = self._decided(state, engine, call, caller, action, facts)
            if draft.decision.effect is Effect.STEP_UP and grants is None:
                grants = await self._gather.grants(action)
                continue
            try:
                turn = await self._recorder.record(state, draft)
            except DuplicateAction:
                return await self._replay(action)
            except HeadMoved:
                continue
            except LimitMoved:
                grants = None  # the grant that answered may be used up by now: look again
                continue
            return self._answer(_first_state(turn), now)
        raise LedgerUnavailable("this session is too busy; nothing was allowed, try again")

    def _decided(
        self,
        state: SessionState,
        engine: PolicyEngine,
        call: ToolCall,
        caller: Caller,
        action: NormalizedAction,
        facts: Facts,
    ) -> Draft:
        """Values to value: what is decided on this action, given these facts."""
        workspace = caller.workspace_id
        observation = self._gather.observe(state, action, engine, call, facts.measured)
        decision = judge(engine, observation, facts, lambda key: self._ledger.counter(workspace, key))
        facts = replace(facts, readings=decision.readings) if decision.readings else facts
        accumulator = self._gather.accumulator
        permit = None
        if decision.effect.runs:
            permit = self._permits.mint(action, executed(action, decision), facts.now)
        waits = decision.effect.waits
        requests = (self._approvals.open(action, decision, facts, state.seq + 1),) if waits else ()
        return Draft(
            kind=TurnKind.DECISION,
            action=action,
            caller=caller,
            facts=facts,
            decision=decision,
            delta=accumulator.decided(state.context, action, observation, decision, facts.now),
            requests=requests,
            permit=permit,
        )

    async def _dependencies(self, call: ToolCall, caller: Caller) -> Dependencies:
        wanted = depends_on(call.parent_action_id, call.depends_on)
        return await self._gather.dependencies(caller.workspace_id, wanted) if wanted else NO_DEPENDENCIES

    async def _delegated(self, call: ToolCall, caller: Caller) -> Delegated:
        if call.delegation is None:
            return OWN_RIGHT
        return await self._gather.delegation(call.delegation, caller.workspace_id)

    async def dry_run(self, call: ToolCall, caller: Caller) -> Decision:
        """What `decide` would say now. Leaves no trace and no receipt, and permits nothing."""
        engine = await self._gather.engine(caller.workspace_id)
        measured = await self._gather.measure(caller.workspace_id, call.session_id, call)
        state = await self._gather.session(caller.workspace_id, call.session_id)
        now = self._gather.now(state)
        action = self._mediator.normalize(call, caller, tools=engine.tool, id=call.action_id or new_id(), now=now)
        facts = _facts(state, caller, now, NO_DEPENDENCIES, await self._gather.grants(action), ask=False)
        facts = _narrowed(facts, caller, action, await self._delegated(call, caller))
        facts = replace(facts, paused=self._gather.is_paused(caller.workspace_id, action.agent_id))
        observation = self._gather.observe(state, action, engine, call, measured)
        return judge(engine, observation, facts, lambda key: self._ledger.counter(caller.workspace_id, key))

    # -- conclude -----------------------------------------------------------------------------------------------

    async def conclude(self, action_id: str, outcome: Outcome, caller: Caller) -> Conclusion:
        """Record what came of an allowed action; spends its permit. The same outcome twice is answered alike.

        Raises NotFound, PermissionDenied, Conflict (it was not allowed, or concluded otherwise), LedgerUnavailable.
        """
        known = await self._gather.action(caller.workspace_id, action_id)
        require_own_agent(caller, known.action.agent_id)
        for tried in range(ATTEMPTS):
            if tried >= AT_ONCE:
                await pause(tried)
            if known.outcome is not None:
                return _concluded_before(known, outcome)
            if not known.effect.runs:
                raise Conflict(f"this action is on record as {known.effect}; only an allowed one has an outcome")
            try:
                turn = await self._record_outcome(known, outcome, caller)
            except DuplicateAction:
                known = await self._gather.action(caller.workspace_id, action_id)
                continue
            except HeadMoved:
                continue
            await self._releases.reconsider(known.action.workspace_id, known.action.session_id)
            return Conclusion(action_id=action_id, receipt_id=turn.receipt.id, status=outcome.status)
        raise LedgerUnavailable("this session is too busy; the outcome was not recorded, try again")

    async def _record_outcome(self, known: ActionState, outcome: Outcome, caller: Caller) -> Turn:
        action = known.action
        engine = await self._gather.engine(action.workspace_id)
        state = await self._gather.session(action.workspace_id, action.session_id)
        now = self._gather.now(state)
        schema = engine.tool(action.tool_name)
        draft = Draft(
            kind=TurnKind.OUTCOME,
            action=action,
            caller=caller,
            facts=_facts(state, caller, now, NO_DEPENDENCIES, (), ask=False),
            decision=known.decision,
            delta=self._gather.accumulator.concluded(state.context, action, outcome, schema, now),
            outcome=outcome,
            about=known.receipt_id,
        )
        return await self._recorder.record(state, draft)

    # -- resolve ------------------------------------------------------------------------------------------------

    async def resolve(
        self,
        request_id: str,
        verdict: Verdict,
        caller: Caller,
        *,
        comment: str = "",
        grant: GrantSpec | None = None,
    ) -> Answer:
        """A person's answer to a request, named by id or token. The action is judged again before it is released.

        Raises NotFound, PermissionDenied, AlreadyResolved, LedgerUnavailable.
        """
        request = await self._ledger.request(caller.workspace_id, request_id)
        if request is None:
            raise NotFound("no such request; `mutx approvals` lists those that wait")
        await self._releases.answer(request, verdict, caller, comment=comment, grant=grant)
        return await self.status(request.action_id, caller)

    async def sweep(self) -> int:
        """Expire and escalate what is due, in every workspace. Returns how many requests changed."""
        return await self._releases.sweep()

    # -- redeem, status -----------------------------------------------------------------------------------------

    async def redeem(self, permit: str, args: dict[str, Any], caller: Caller) -> Redemption:
        """Spend a permit just before the effect; durable before the answer.

        Raises PermitRefused: forged, expired, spent, for another agent or for other arguments.
        """
        now = self._gather.clock()
        claims = self._permits.open(permit, now)
        if claims.ws != caller.workspace_id:
            raise PermitRefused("this permit was not issued by this control plane; ask it for a decision")
        require_own_agent(caller, claims.aud)
        if silenced(caller.limits, claims.aud) is not None:
            raise PermitRefused("this agent may do nothing any more; see its permissions and its kill switch")
        if self._gather.is_paused(claims.ws, claims.aud):
            raise PermitRefused("this agent is paused; someone who manages it may resume it")
        if digest(args) != claims.args:
            raise PermitRefused("these are not the permitted arguments; run what the decision says, or decide anew")
        if not await self._ledger.redeem(claims.ws, claims.act, claims.id, now):
            raise PermitRefused("this permit was spent before; it is good for one run")
        return Redemption(action_id=claims.act, args_hash=claims.args, redeemed_at=now)

    async def claim(self, action_id: str, caller: Caller) -> Redemption:
        """Spend the permit of an action whose arguments the caller still holds as it sent them: it is told of no permit.

        Raises NotFound, PermissionDenied, PermitRefused (not allowed, expired, spent, or for other arguments by now).
        """
        known = await self._gather.action(caller.workspace_id, action_id)
        require_own_agent(caller, known.action.agent_id)
        if known.permit is None or known.decision.modified_args is not None:
            raise PermitRefused("nothing is permitted as it was asked for; see the action's decision")
        permit = self._permits.token(known.permit, known.action)
        return await self.redeem(permit, known.action.tool_args, caller)

    async def status(self, action_id: str, caller: Caller) -> Answer:
        """Where an action stands. Raises NotFound, PermissionDenied."""
        known = await self._gather.action(caller.workspace_id, action_id)
        require_own_agent(caller, known.action.agent_id)
        return self._answer(known, self._gather.clock())

    # -- answers ------------------------------------------------------------------------------------------------

    async def _replay(self, action: NormalizedAction) -> Answer:
        known = await self._gather.action(action.workspace_id, action.id)
        if known.action.action_hash != action.action_hash:
            raise ActionReused("this action id stands for another call; make a new id for each call")
        return replace(self._answer(known, self._gather.clock()), replayed=True)

    def _answer(self, known: ActionState, now: float) -> Answer:
        decision, permit = known.decision, known.permit
        live = permit is not None and now < permit.expires_at and known.redeemed_at is None and known.outcome is None
        return Answer(
            action_id=known.action.id,
            action_hash=known.action.action_hash,
            session_id=known.action.session_id,
            seq=known.seq,
            tool_name=known.action.tool_name,
            effect=decision.effect,
            decision=decision,
            receipt_id=known.receipt_id,
            permit=self._permits.token(permit, known.action) if permit is not None and live else None,
            permit_expires_at=permit.expires_at if permit is not None and live else None,
            modified_args=decision.modified_args,
            request=known.request,
            outcome=_outcome_status(known, now),
            outcome_receipt_id=known.outcome_receipt_id,
        )


NO_DEPENDENCIES = Dependencies()


def executed(action: NormalizedAction, decision: Decision) -> dict[str, Any]:
    """The arguments to be executed: the modified ones where there are any."""
    return action.tool_args if decision.modified_args is None else decision.modified_args


def _facts(
    state: SessionState,
    caller: Caller,
    now: float,
    dependencies: Dependencies,
    grants: tuple[GrantFact, ...],
    ask: bool,
    ask_timeout: float | None = None,
) -> Facts:
    return Facts(
        context_hash=state.context.hash,
        now=now,
        roles=caller.roles,
        scopes=caller.scopes,
        principal_kind=caller.kind,
        grants=grants,
        waiting_on=dependencies.waiting,
        denied_parent=dependencies.denied,
        depth=dependencies.depth,
        ask=ask,
        ask_timeout=ask_timeout,
        closed=state.closed_at is not None,
    )


def _narrowed(facts: Facts, caller: Caller, action: NormalizedAction, given: Delegated) -> Facts:
    """With what takes from the caller's rights: limits on the principal, and the delegation it acts under."""
    return replace(facts, forbidden=_forbidden(caller, action), delegation=given.chain, undelegated=given.broken)


def _forbidden(caller: Caller, action: NormalizedAction) -> str | None:
    return forbidden(caller.limits, LimitedVerb.ACT, action.agent_id, action.tool_name)


def _first_state(turn: Turn) -> ActionState:
    """Where an action stands right after its decision."""
    return ActionState(
        action=turn.action,
        decision=turn.decision,
        caller=turn.caller,
        seq=turn.seq,
        receipt_id=turn.receipt.id,
        permit=turn.permit,
        request=turn.requests[0] if turn.requests else None,
    )


def _outcome_status(known: ActionState, now: float) -> OutcomeStatus | None:
    """What became of it: an allowed action that never concluded is `unknown`, never a success."""
    if known.outcome is not None:
        return known.outcome.status
    if known.effect is Effect.DENY:
        return OutcomeStatus.BLOCKED
    if known.effect.waits:
        return OutcomeStatus.WAITING
    spent = known.redeemed_at is not None or (known.permit is not None and now >= known.permit.expires_at)
    return OutcomeStatus.UNKNOWN if spent else None


def _concluded_before(known: ActionState, outcome: Outcome) -> Conclusion:
    if known.outcome != outcome or known.outcome_receipt_id is None:
        raise Conflict("this action was concluded with another outcome; an outcome is recorded once")
    return Conclusion(
        action_id=known.action.id, receipt_id=known.outcome_receipt_id, status=outcome.status, replayed=True
    )
