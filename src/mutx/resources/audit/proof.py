"""Whether the turns of a session are what was signed: links, signatures, and what is shown against what is sealed."""

import asyncio
from collections.abc import Sequence
from typing import Any

from mutx.governance.chain import ReceiptChain
from mutx.governance.keys import KeyRing
from mutx.governance.receipt_body import ReceiptBody
from mutx.governance.turn import Turn
from mutx.governance.verify import verify_receipt
from mutx.kit.clock import rfc3339
from mutx.kit.errors import VerificationFailed
from mutx.storage.views import SessionEntry


class SessionProof:
    """Takes a session's turns from the first one on, a page at a time; after the first error nothing more counts."""

    def __init__(self, workspace_id: str, session: SessionEntry, keys: KeyRing) -> None:
        self._session = session
        self._keys = keys
        self._chain = ReceiptChain(workspace_id, session.session_id)
        self._error: str | None = None

    async def take(self, turns: Sequence[Turn]) -> None:
        """Check the next turns, on a thread: a signature costs more than a decision may wait."""
        if self._error is None:
            await asyncio.to_thread(self._take, turns)

    @property
    def head(self) -> str:
        """Hash of the last receipt that holds."""
        return self._chain.head

    @property
    def errors(self) -> list[str]:
        """What is wrong, once every turn was taken."""
        if self._error is not None:
            return [self._error]
        if (self._chain.count, self._chain.head) == (self._session.seq, self._session.head):
            return []
        return [
            f"session {self._session.session_id} holds {self._chain.count} turns, its head says {self._session.seq}: "
            "turns are missing at its end or were replaced"
        ]

    def _take(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            try:
                self._link(turn)
            except VerificationFailed as error:
                self._error = f"session {turn.session_id}, turn {turn.seq} ({turn.receipt.id}): {error}"
                return

    def _link(self, turn: Turn) -> None:
        body = verify_receipt(turn.receipt.envelope, self._keys)
        self._chain.link(body, turn.receipt.envelope)
        if self._chain.head != turn.receipt.hash or _shown(turn) != _signed(body):
            raise VerificationFailed("what is stored beside the receipt is not what was signed")


def _shown(turn: Turn) -> tuple[Any, ...]:
    """What an audit event shows of a turn."""
    action, decision, outcome = turn.action, turn.decision, turn.outcome
    request = turn.requests[0] if turn.requests else None
    return (
        *(turn.kind, turn.receipt.id, turn.seq, turn.prev, rfc3339(turn.at), turn.caller.door),
        *(action.id, action.tool_name, action.operation, action.parent_action_id, action.trigger, action.runtime),
        *(action.agent_id, action.user_id, turn.caller.principal_id, turn.caller.kind),
        *(decision.effect, decision.reason_code, decision.reason, decision.policy_version, decision.risk),
        *(decision.intent, decision.alerts, decision.modifications),
        (decision.rule.policy, decision.rule.id) if decision.rule else None,
        (outcome.status, outcome.duration_ms) if outcome else None,
        (request.id, request.status, tuple((vote.by, vote.verdict) for vote in request.votes)) if request else None,
    )


def _signed(body: ReceiptBody) -> tuple[Any, ...]:
    """The same of its receipt."""
    action, decision, outcome, approval = body.action, body.decision, body.outcome, body.approval
    return (
        *(body.kind, body.id, body.seq, body.prev, body.at, body.door),
        *(action.id, action.tool, action.operation, action.parent, action.trigger, action.runtime),
        *(body.identity.agent, body.identity.user, body.identity.principal, body.identity.principal_kind),
        *(decision.effect, decision.reason_code, decision.reason, decision.policy_version, decision.risk),
        *(decision.intent, decision.alerts, decision.modifications),
        (decision.rule.policy, decision.rule.id) if decision.rule else None,
        (outcome.status, outcome.duration_ms) if outcome else None,
        (approval.request_id, approval.status, tuple((v.by, v.verdict) for v in approval.votes)) if approval else None,
    )
