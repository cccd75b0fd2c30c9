"""Asking people and hearing their answers. The pipeline decides; this reads and translates."""

from collections.abc import Sequence

from mutx.contract.approvals import Approval, ApprovalDetail, ApprovalState
from mutx.governance.answer import Answer, GrantSpec
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.turn import ActionState, ApprovalRequest, Grant, RequestStatus, Verdict
from mutx.governance.types import Caller, PrincipalKind, ToolCall
from mutx.kit.errors import NotFound, PermissionDenied
from mutx.resources.approvals import views
from mutx.storage.views import LedgerStore


class Approvals:
    """The requests of one caller's workspace; an agent's key sees only what that agent asked."""

    def __init__(self, pipeline: GovernancePipeline, ledger: LedgerStore, caller: Caller) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._caller = caller
        self._agent_id = caller.agent_id
        self.workspace_id = caller.workspace_id

    async def page(
        self, state: ApprovalState | None, agent_id: str | None, skip: int, limit: int
    ) -> tuple[Sequence[ApprovalRequest], int]:
        """Newest first, and how many there are."""
        if self._agent_id is not None and agent_id not in (None, self._agent_id):
            return (), 0
        agent_id = self._agent_id or agent_id
        statuses = views.STATUSES_OF[state] if state else (None,)
        if len(statuses) == 1:
            return await self._requests(statuses[0], agent_id, skip, limit)
        # One older word stands for several statuses: take enough of each and merge.
        pages = [await self._requests(status, agent_id, 0, skip + limit) for status in statuses]
        merged = sorted((r for found, _ in pages for r in found), key=lambda r: (r.created_at, r.id), reverse=True)
        return merged[skip : skip + limit], sum(total for _, total in pages)

    async def waiting(self, skip: int, limit: int) -> Sequence[ApprovalRequest]:
        """Those that still wait, newest first."""
        found, _ = await self.page(ApprovalState.PENDING, None, skip, limit)
        return found

    async def get(self, request_id: str) -> ApprovalRequest:
        """By id or token. Raises NotFound."""
        request = await self._ledger.request(self.workspace_id, request_id)
        if request is None or (self._agent_id is not None and request.agent_id != self._agent_id):
            raise NotFound("no such request; `mutx approvals` lists those that wait")
        return request

    async def view(self, request: ApprovalRequest, now: float) -> Approval:
        return views.approval(request, await self._action(request), now)

    async def detail(self, request_id: str, now: float) -> ApprovalDetail:
        """All that an approver has to see (AARM R4). Raises NotFound."""
        request = await self.get(request_id)
        session = await self._ledger.load(request.workspace_id, request.session_id)
        return views.detail(request, await self._action(request), session.context, now)

    async def grants(self, skip: int, limit: int) -> Sequence[Grant]:
        """Newest first, those that ended included."""
        found, _ = await self._ledger.list_grants(self.workspace_id, agent_id=self._agent_id, skip=skip, limit=limit)
        return found

    async def revoke_grant(self, grant_id: str, at: float) -> None:
        """Raises NotFound, PermissionDenied."""
        self._is_reviewer(None)
        if not await self._ledger.revoke_grant(self.workspace_id, grant_id, at):
            raise NotFound("no such grant; `GET /v1/approvals/grants` lists them")

    async def ask(self, call: ToolCall, *, seconds: float | None = None) -> ApprovalRequest:
        """Have `call` decided with a person in the loop, whatever policy would allow without one.

        `seconds`: how long people have to answer; None: the default. What the policy itself asks keeps its own terms.

        Raises PermissionDenied where policy denies it: the denial has its receipt like any other.
        """
        answer = await self._pipeline.decide(call, self._caller, ask=True, ask_timeout=seconds)
        if answer.request is None:
            raise PermissionDenied(f"denied: {answer.decision.reason}", details=_refusal(answer))
        return answer.request

    async def resolve(
        self,
        request_id: str,
        verdict: Verdict,
        *,
        comment: str = "",
        reviewer: str | None = None,
        grant: GrantSpec | None = None,
    ) -> ApprovalRequest:
        """The caller's own verdict; `reviewer` may only repeat the caller.

        Raises NotFound, PermissionDenied, AlreadyResolved.
        """
        self._is_reviewer(reviewer)
        request = await self.get(request_id)
        await self._pipeline.resolve(request.id, verdict, self._caller, comment=comment, grant=grant)
        return await self.get(request.id)

    def _is_reviewer(self, named: str | None) -> None:
        caller = self._caller
        if caller.kind is PrincipalKind.AGENT:
            raise PermissionDenied("an agent's key never approves; sign in as a person with `mutx login`")
        if named and named not in (caller.user_id, caller.principal_id, caller.email):
            raise PermissionDenied("the reviewer is who is signed in; leave the name out, or sign in as that person")

    async def _action(self, request: ApprovalRequest) -> ActionState:
        found = await self._ledger.action(request.workspace_id, request.action_id)
        if found is None:
            raise NotFound("the action of this request is not on record")
        return found

    async def _requests(
        self, status: RequestStatus | None, agent_id: str | None, skip: int, limit: int
    ) -> tuple[Sequence[ApprovalRequest], int]:
        return await self._ledger.requests(self.workspace_id, status=status, agent_id=agent_id, skip=skip, limit=limit)


def _refusal(answer: Answer) -> dict[str, str]:
    return {
        "action_id": answer.action_id,
        "effect": answer.effect.value,
        "reason_code": answer.decision.reason_code.value,
        "receipt_id": answer.receipt_id,
    }
