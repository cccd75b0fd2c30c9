"""Releasing what waits: a person's answer, fresh context, an escalation, a deadline.

However a request is answered, its action is judged again on today's policy, identity and context before it is released.
Requests of one session are released in the order in which they were asked.
"""

import re
from collections.abc import Callable

from msgspec.structs import replace

from mutx.governance.answer import GrantSpec
from mutx.governance.approvals import STATUS_OF, ApprovalService
from mutx.governance.contention import AT_ONCE, ATTEMPTS, pause
from mutx.governance.gather import Gatherer, depends_on
from mutx.governance.judge import REQUESTED, executed_hash, judge
from mutx.governance.limits import forbidden
from mutx.governance.permits import Permits
from mutx.governance.ports import Identities, SessionState
from mutx.governance.recorder import Draft, Recorder
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import (
    ActionState,
    ApprovalRequest,
    Grant,
    RequestKind,
    RequestStatus,
    TurnKind,
    Verdict,
    Vote,
)
from mutx.governance.types import Caller, Decision, Facts, LimitedVerb, PrincipalKind
from mutx.kit.errors import HeadMoved, InputError, LedgerUnavailable, LimitMoved, NotFound, RequestMoved
from mutx.kit.ids import new_id

BATCH = 100
SYSTEM = "system"

_ABOUT_VALUES = re.compile(r"[a-z_]+:.{1,256}@[0-9a-f]{16}", re.DOTALL)
"""A question whose answer holds for these values in this session, and for no others."""


class Releases:
    """Moves requests and releases or refuses the actions behind them."""

    def __init__(
        self,
        *,
        gather: Gatherer,
        approvals: ApprovalService,
        identities: Identities,
        permits: Permits,
        recorder: Recorder,
        telemetry: TelemetryExporter,
        told: Callable[[ApprovalRequest], None],
    ) -> None:
        """`told` hears of changes that are no turn: a vote short of the quorum, an escalation."""
        self._gather = gather
        self._ledger = gather.ledger
        self._approvals = approvals
        self._identities = identities
        self._permits = permits
        self._recorder = recorder
        self._telemetry = telemetry
        self._told = told

    async def answer(
        self,
        request: ApprovalRequest,
        verdict: Verdict,
        caller: Caller,
        *,
        comment: str = "",
        grant: GrantSpec | None = None,
    ) -> None:
        """A person's verdict. Raises AlreadyResolved, PermissionDenied, NotFound, InputError, LedgerUnavailable."""
        if grant is not None and not rememberable(request):
            raise InputError("this question is about one call's own values; approve it without a standing grant")
        own = await self._identities.may_approve_own(request.workspace_id)
        for tried in range(ATTEMPTS):
            if tried >= AT_ONCE:
                await pause(tried)
            try:
                await self._vote(request, verdict, caller, comment, grant, own=own)
            except RequestMoved:
                request = await self._again(request)
            else:
                return
        raise LedgerUnavailable("too many people answer this request at once; try again")

    async def _again(self, request: ApprovalRequest) -> ApprovalRequest:
        latest = await self._ledger.request(request.workspace_id, request.id)
        if latest is None:
            raise NotFound("no such request; `mutx approvals` lists those that wait")
        return latest

    async def _vote(
        self,
        request: ApprovalRequest,
        verdict: Verdict,
        caller: Caller,
        comment: str,
        grant: GrantSpec | None,
        *,
        own: bool,
    ) -> None:
        now = self._gather.clock()
        self._approvals.check(request, verdict, caller, now, own=own)
        vote = Vote(
            verdict=verdict,
            by=caller.user_id,
            display=caller.email,
            at=now,
            comment=comment,
            own_request=caller.user_id == request.user_id,
        )
        voted = self._approvals.vote(request, vote)
        if voted.status is RequestStatus.PENDING:
            await self._save(voted)
            return
        await self._release(voted, verdict, grant=grant)
        await self.reconsider(request.workspace_id, request.session_id)

    async def reconsider(self, workspace_id: str, session_id: str) -> None:
        """Judge a session's deferrals again, in order, now that its context or a dependency changed."""
        state = await self._gather.session(workspace_id, session_id)
        if not state.context.waiting:
            return
        pending, _ = await self._ledger.requests(
            workspace_id, status=RequestStatus.PENDING, session_id=session_id, limit=BATCH
        )
        for request in sorted(pending, key=lambda r: r.order):
            if request.kind is RequestKind.DEFER:
                await self._refresh(request)

    async def sweep(self) -> int:
        """Expire and escalate what is due. A request that somebody else moved meanwhile is left to them."""
        now = self._gather.clock()
        due = await self._ledger.due(now, BATCH)
        for request in due:
            try:
                await self._overdue(request, now)
            except RequestMoved:
                continue
        return len(due)

    async def _overdue(self, request: ApprovalRequest, now: float) -> None:
        if now < request.expires_at:
            await self._save(self._approvals.escalate(request, now))
            return
        await self._release(self._answered(request, Verdict.EXPIRE, now), Verdict.EXPIRE)
        await self.reconsider(request.workspace_id, request.session_id)

    async def _save(self, request: ApprovalRequest) -> None:
        await self._ledger.save_request(request, self._telemetry.request_events(request))
        self._told(request)

    async def _refresh(self, request: ApprovalRequest) -> None:
        """Release a deferral if the facts now answer it; leave it waiting if they do not."""
        now = self._gather.clock()
        if now >= request.expires_at:
            return
        try:
            await self._release(self._answered(request, Verdict.CONTEXT, now), Verdict.CONTEXT)
        except RequestMoved:
            return

    def _answered(self, request: ApprovalRequest, verdict: Verdict, now: float) -> ApprovalRequest:
        vote = Vote(verdict=verdict, by=SYSTEM, at=now)
        return replace(
            request,
            votes=(*request.votes, vote),
            status=STATUS_OF[verdict],
            decided_at=now,
            decided_by=SYSTEM,
            revision=request.revision + 1,
        )

    async def _release(self, request: ApprovalRequest, verdict: Verdict, *, grant: GrantSpec | None = None) -> None:
        """Judge the action again and record the resolution. `request` is already in its final status."""
        for tried in range(ATTEMPTS):
            if tried >= AT_ONCE:
                await pause(tried)
            known = await self._gather.action(request.workspace_id, request.action_id)
            if known.request is None or known.request.revision != request.revision - 1:
                raise RequestMoved("somebody else moved this request first")
            drafted = await self._draft(known, request, verdict, grant)
            if drafted is None:
                return
            try:
                await self._recorder.record(*drafted)
            except (HeadMoved, LimitMoved):
                continue
            return
        raise LedgerUnavailable("this session is too busy; the request still waits, try again")

    async def _draft(
        self, known: ActionState, request: ApprovalRequest, verdict: Verdict, grant: GrantSpec | None
    ) -> tuple[SessionState, Draft] | None:
        """The resolution of `request` and the session it was drawn from, with nothing awaited since. None where fresh
        context leaves it waiting as it was.
        """
        workspace, action = request.workspace_id, known.action
        engine = await self._gather.engine(workspace)
        fresh = await self._identities.current(known.caller)
        chain = known.caller.delegation
        broken = await self._gather.undelegated(workspace, chain)
        dependencies = await self._gather.dependencies(
            workspace, depends_on(action.parent_action_id, action.depends_on)
        )
        measured = await self._gather.measure(workspace, request.session_id, action)
        state = await self._gather.session(workspace, request.session_id)
        facts = replace(
            _release_facts(state, known, request, verdict, fresh, self._gather.now(state)),
            waiting_on=dependencies.waiting,
            denied_parent=dependencies.denied,
            depth=dependencies.depth,
            delegation=chain,
            undelegated=broken,
            paused=self._gather.is_paused(workspace, action.agent_id),
            measured=measured,
        )
        if fresh is not None:
            fresh = replace(fresh, delegation=chain) if chain else fresh
            action = replace(action, roles=fresh.roles, scopes=fresh.scopes)
        observation = self._gather.observe(state, action, engine, measured=measured)
        decision = judge(engine, observation, facts, lambda key: self._ledger.counter(workspace, key))
        if verdict is Verdict.CONTEXT and decision.effect is known.decision.effect:
            return None
        facts = replace(facts, readings=decision.readings)
        return state, Draft(
            kind=TurnKind.RESOLUTION,
            action=action,
            caller=fresh or known.caller,
            facts=facts,
            decision=decision,
            delta=self._gather.accumulator.resolved(state.context, action, decision, facts.now),
            requests=self._requests(request, decision, facts, known, state),
            permit=self._permits.mint(action, _executed(known, decision), facts.now) if decision.effect.runs else None,
            about=known.receipt_id,
            new_grants=_grants(request, decision, grant, facts.now),
        )

    def _requests(
        self, request: ApprovalRequest, decision: Decision, facts: Facts, known: ActionState, state: SessionState
    ) -> tuple[ApprovalRequest, ...]:
        """The answered request, and a new one where the policy asks something else now."""
        if not decision.effect.waits:
            return (request,)
        return (request, self._approvals.open(known.action, decision, facts, request.order or state.seq + 1))


def rememberable(request: ApprovalRequest) -> bool:
    """Whether a standing grant could answer it: rules, and questions that name the very values that they are about."""
    named = (":" not in ask or _ABOUT_VALUES.fullmatch(ask) is not None for ask in request.asks)
    return request.kind is RequestKind.STEP_UP and REQUESTED not in request.asks and all(named)


def _executed(known: ActionState, decision: Decision) -> dict[str, object]:
    return known.action.tool_args if decision.modified_args is None else decision.modified_args


def _forbidden(caller: Caller, known: ActionState) -> str | None:
    return forbidden(caller.limits, LimitedVerb.ACT, known.action.agent_id, known.action.tool_name)


def _release_facts(
    state: SessionState,
    known: ActionState,
    request: ApprovalRequest,
    verdict: Verdict,
    fresh: Caller | None,
    now: float,
) -> Facts:
    approved = verdict is Verdict.APPROVE
    return Facts(
        context_hash=state.context.hash,
        now=now,
        roles=fresh.roles if fresh else (),
        scopes=fresh.scopes if fresh else (),
        principal_kind=fresh.kind if fresh else PrincipalKind.SYSTEM,
        satisfied=request.satisfied + request.asks if approved else request.satisfied,
        verdict=verdict.value,
        revoked=fresh is None,
        forbidden=_forbidden(fresh, known) if fresh else None,
        args_hash=executed_hash(known.action, known.decision) if approved else None,
    )


def _grants(request: ApprovalRequest, decision: Decision, grant: GrantSpec | None, now: float) -> tuple[Grant, ...]:
    if grant is None or not decision.effect.runs:
        return ()
    return (
        Grant(
            id=new_id(),
            workspace_id=request.workspace_id,
            agent_id=request.agent_id,
            tool_name=request.tool_name,
            rules=request.asks,
            granted_by=request.decided_by or SYSTEM,
            created_at=now,
            expires_at=now + grant.ttl_seconds,
            uses_left=grant.uses,
        ),
    )
