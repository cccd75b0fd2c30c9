"""Handing a part of what an agent may do to another."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError

from mutx.contract.delegations import DelegationCreate, IssuedDelegation
from mutx.governance.answer import Answer
from mutx.governance.delegation_scope import excess
from mutx.governance.hops import HAND_OFF, MAX_HOPS, Chain, DelegationBudget, DelegationGrant, DelegationHop
from mutx.governance.limits import forbidden
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Caller, LimitedVerb, PrincipalKind, ToolCall
from mutx.kit.clock import to_datetime
from mutx.kit.errors import Conflict, InputError, NotFound, PermissionDenied, VerificationFailed
from mutx.kit.ids import new_id
from mutx.resources.delegations import views
from mutx.resources.delegations.book import DelegationBook, hop_of, issuer_text
from mutx.resources.delegations.models import DelegationRow
from mutx.web.news import tell_audit
from mutx.web.services import Services

BY_POLICY = frozenset({PrincipalKind.AGENT, PrincipalKind.SYSTEM})
"""Whose hand-offs the policies decide; people delegate by their own right."""


class HandOffs:
    """Those of the caller's workspace."""

    def __init__(self, app: Services, caller: Caller) -> None:
        assert isinstance(app.delegations, DelegationBook)
        self._app, self._book, self._caller = app, app.delegations, caller

    async def issue(self, wanted: DelegationCreate) -> IssuedDelegation:
        """Raises PermissionDenied (it is no part, or the policies deny it), Conflict (a person is asked first), InputError."""
        delegator = self._delegator(wanted)
        before = await self._before(wanted, delegator)
        if wanted.action_id is not None and (row := await self._by_action(wanted.action_id)) is not None:
            return self._told(row, (*before, hop_of(row)))
        hop = self._hop(wanted, delegator)
        _require_part(hop, before)
        answer = await self._decided(wanted, delegator, hop) if self._caller.kind in BY_POLICY else None
        row = self._row(hop, before, answer)
        try:
            await self._keep(row)
        except IntegrityError as error:
            raise Conflict("this hand-off was asked for twice at once; ask again with its action_id") from error
        if answer is not None:
            outcome = Outcome(status=OutcomeStatus.EXECUTED, result={"delegation_id": hop.id})
            await self._app.pipeline.conclude(answer.action_id, outcome, self._caller)
        return self._told(row, (*before, hop))

    async def page(self, skip: int, limit: int) -> tuple[Sequence[DelegationRow], int]:
        """Newest first."""
        order = self._mine().order_by(DelegationRow.created_at.desc(), DelegationRow.id.desc())
        async with self._app.database.read() as session:
            rows = (await session.scalars(order.offset(skip).limit(limit))).all()
            return rows, await session.scalar(select(func.count()).select_from(self._mine().subquery())) or 0

    async def revoke(self, delegation_id: UUID) -> None:
        """Raises NotFound, also for one that is not the caller's to end."""
        now = self._app.clock.now()
        query = self._mine().where(DelegationRow.id == str(delegation_id))
        if self._caller.agent_id is not None:
            query = query.where(DelegationRow.delegator == self._caller.agent_id)
        async with self._app.database.write() as session:
            row = await session.scalar(query)
            if row is None:
                raise NotFound(f"no delegation {delegation_id}; `mutx delegations list` shows them")
            if row.revoked_at is None:
                row.revoked_at = to_datetime(now)
                about = {"delegation_id": row.id, "delegator": row.delegator, "delegate": row.delegate}
                await tell_audit(session, self._caller, now, "DELEGATION_REVOKED", **about)

    def _delegator(self, wanted: DelegationCreate) -> str:
        own = self._caller.agent_id
        delegator = wanted.delegator or own
        if delegator is None:
            raise InputError("name the `delegator`: the agent whose right is handed on")
        if own is not None and delegator != own:
            raise PermissionDenied("an agent's key delegates for that agent only")
        if delegator == wanted.delegate:
            raise InputError("an agent cannot delegate to itself")
        if forbidden(self._caller.limits, LimitedVerb.ACT, delegator, HAND_OFF + wanted.delegate) is not None:
            raise PermissionDenied("a permission of the workspace forbids this to you")
        return delegator

    async def _before(self, wanted: DelegationCreate, delegator: str) -> Chain:
        """The chain that the delegating agent acts under itself."""
        if wanted.delegation is None:
            return ()
        try:
            chain = await self._book.open(wanted.delegation, self._caller.workspace_id)
        except VerificationFailed as error:
            raise PermissionDenied(str(error)) from error
        why = await self._book.broken(self._caller.workspace_id, chain)
        if why is None and chain[-1].delegate != delegator:
            why = f"this delegation is {chain[-1].delegate}'s"
        if why is None and self._app.clock.now() >= chain[-1].expires_at:
            why = "the delegation has expired"
        if why is not None:
            raise PermissionDenied(why)
        return chain

    def _hop(self, wanted: DelegationCreate, delegator: str) -> DelegationHop:
        budget = wanted.budget
        return DelegationHop(
            id=new_id(),
            delegator=delegator,
            delegate=wanted.delegate,
            grants=tuple(DelegationGrant(tool=each.tool, ceilings=dict(each.ceilings)) for each in wanted.tools),
            expires_at=round(self._app.clock.now() + wanted.seconds, 3),
            depth=wanted.depth,
            calls=wanted.calls,
            budget=None if budget is None else DelegationBudget(argument=budget.argument, max=budget.max),
        )

    async def _decided(self, wanted: DelegationCreate, delegator: str, hop: DelegationHop) -> Answer:
        """The policies' answer to the hand-off, which allows it."""
        if wanted.session_id is None:
            raise InputError("an agent's hand-off is decided in its session: send `session_id`")
        call = ToolCall(
            tool_name=HAND_OFF + hop.delegate,
            tool_args=hand_off_args(wanted),
            agent_id=delegator,
            session_id=wanted.session_id,
            action_id=wanted.action_id,
            delegation=wanted.delegation,
        )
        answer = await self._app.pipeline.decide(call, self._caller)
        details = {"action_id": answer.action_id, "reason_code": answer.decision.reason_code.value}
        if answer.effect.waits:
            raise Conflict(
                f"the hand-off waits for a person: {answer.decision.reason}; ask again with this action_id",
                details=details,
            )
        if not answer.effect.runs:
            raise PermissionDenied(f"the policies deny this hand-off: {answer.decision.reason}", details=details)
        if answer.modified_args is not None:
            raise PermissionDenied("the policies allow this hand-off only with other arguments", details=details)
        return answer

    def _row(self, hop: DelegationHop, before: Chain, answer: Answer | None) -> DelegationRow:
        return DelegationRow(
            id=hop.id,
            workspace_id=self._caller.workspace_id,
            parent_id=before[-1].id if before else None,
            delegator=hop.delegator,
            delegate=hop.delegate,
            content=msgspec.to_builtins(hop),
            issuer=issuer_text(self._caller),
            issued_by=self._caller.principal_id,
            user_id=self._caller.user_id,
            action_id=answer.action_id if answer is not None else None,
            receipt_id=answer.receipt_id if answer is not None else None,
            created_at=to_datetime(self._app.clock.now()),
            expires_at=to_datetime(hop.expires_at),
        )

    async def _keep(self, row: DelegationRow) -> None:
        async with self._app.database.write() as session:
            session.add(row)
            await session.flush()
            about = {"delegation_id": row.id, "delegator": row.delegator, "delegate": row.delegate}
            await tell_audit(session, self._caller, self._app.clock.now(), "DELEGATION_CREATED", **about)

    def _told(self, row: DelegationRow, chain: Chain) -> IssuedDelegation:
        token = self._book.token(self._caller.workspace_id, chain, row)
        return views.issued(row, token)

    async def _by_action(self, action_id: str) -> DelegationRow | None:
        query = self._mine().where(
            DelegationRow.action_id == action_id, DelegationRow.issued_by == self._caller.principal_id
        )
        async with self._app.database.read() as session:
            return await session.scalar(query)

    def _mine(self) -> Select[DelegationRow]:
        query = select(DelegationRow).where(DelegationRow.workspace_id == self._caller.workspace_id)
        own = self._caller.agent_id
        if own is None:
            return query
        return query.where(or_(DelegationRow.delegator == own, DelegationRow.delegate == own))


def hand_off_args(wanted: DelegationCreate) -> dict[str, object]:
    """What policies see of a hand-off: a ceiling stands there if every tool has it, and then the largest."""
    shared = set.intersection(*(set(each.ceilings) for each in wanted.tools))
    args: dict[str, object] = {
        "tools": [each.tool for each in wanted.tools],
        "ceilings": {path: max(each.ceilings[path] for each in wanted.tools) for path in sorted(shared)},
        "seconds": wanted.seconds,
        "depth": wanted.depth,
    }
    if wanted.calls is not None:
        args["calls"] = wanted.calls
    if wanted.budget is not None:
        args["budget"] = {"argument": wanted.budget.argument, "max": wanted.budget.max}
    return args


def _require_part(hop: DelegationHop, before: Chain) -> None:
    if not before:
        return
    if len(before) >= MAX_HOPS:
        raise PermissionDenied(f"a right is handed on at most {MAX_HOPS} times")
    if more := excess(hop, before[-1]):
        raise PermissionDenied(f"this is more than {hop.delegator} was delegated: {'; '.join(more)}")
