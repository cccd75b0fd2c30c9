"""Seal each turn into a signed link of its session's chain, and join receipts with the values beside them."""

from typing import Any

from mutx.governance import commitments as slots
from mutx.governance.chain import ReceiptChain, genesis
from mutx.governance.commitments import Salts, commit
from mutx.governance.dsse import EnvelopeWriter, parse
from mutx.governance.openings import view
from mutx.governance.ports import Signer
from mutx.governance.receipt_body import (
    PAYLOAD_TYPE,
    VERSION,
    ActionPart,
    ApprovalPart,
    CriticalPart,
    DecisionPart,
    DeferralPart,
    IdentityPart,
    OutcomePart,
    PermitPart,
    ReceiptBody,
    RulePart,
    VotePart,
    body_dict,
    decode_body,
    encode_body,
)
from mutx.governance.turn import (
    ApprovalRequest,
    Outcome,
    PermitRecord,
    Receipt,
    RequestKind,
    Sealed,
    TurnKind,
)
from mutx.governance.types import ArgumentOrigin, Caller, Decision, Facts, NormalizedAction, RuleRef
from mutx.kit.canonical import sha256_hex
from mutx.kit.clock import rfc3339

__all__ = ["ReceiptChain", "ReceiptGenerator", "genesis", "open_receipt", "view"]


class ReceiptGenerator:
    """Binds action, identity, decision, approval and outcome into one signed receipt of constant size."""

    def __init__(self, signer: Signer) -> None:
        self._salts = Salts()
        self._envelopes = EnvelopeWriter(PAYLOAD_TYPE, signer.key_id, signer.sign)

    def seal(
        self,
        *,
        kind: TurnKind,
        id: str,  # noqa: A002 - the name it has in the receipt
        workspace_id: str,
        session_id: str,
        seq: int,
        prev: str,
        at: float,
        caller: Caller,
        action: NormalizedAction,
        facts: Facts,
        decision: Decision,
        request: ApprovalRequest | None = None,
        permit: PermitRecord | None = None,
        outcome: Outcome | None = None,
        about: str | None = None,
    ) -> tuple[Receipt, Sealed]:
        """The signed receipt, and the values and salts that open its commitments.

        `at`: seconds, never less than that of the session's previous receipt. `prev`: hash of that receipt, or
        `genesis`. `about`: receipt id of the decision this belongs to. `decision.reason` stands in the receipt as
        it is: no argument values in it. Raises InputError for what JSON cannot hold.
        """
        args_salt, when = self._salts.new(), rfc3339(at)
        modified_salt = b"" if decision.modified_args is None else self._salts.new()
        result_salt = self._salts.new() if outcome is not None else b""
        body = ReceiptBody(
            v=VERSION,
            kind=kind,
            id=id,
            workspace=workspace_id,
            session=session_id,
            seq=seq,
            prev=prev,
            context=facts.context_hash,
            at=when,
            door=caller.door,
            action=_action(action, args_salt, when if action.timestamp == at else rfc3339(action.timestamp)),
            identity=_identity(action, caller, facts),
            decision=_decision(decision, args_salt, modified_salt),
            approval=_approval(request) if request is not None else None,
            deferral=_deferral(request) if request is not None and request.kind is RequestKind.DEFER else None,
            permit=_permit(permit, args_salt) if permit is not None else None,
            outcome=_outcome(outcome, result_salt) if outcome is not None else None,
            about=about,
        )
        envelope = self._envelopes.write(encode_body(body))
        sealed = _sealed(action, decision, outcome, args_salt, modified_salt, result_salt)
        return Receipt(id=id, hash=sha256_hex(envelope), envelope=envelope), sealed


def open_receipt(envelope: bytes) -> dict[str, Any]:
    """The body inside an envelope. Reads, does not verify. Raises VerificationFailed for what is no receipt."""
    return body_dict(decode_body(parse(envelope).payload))


def _sealed(
    action: NormalizedAction,
    decision: Decision,
    outcome: Outcome | None,
    args_salt: bytes,
    modified_salt: bytes,
    result_salt: bytes,
) -> Sealed:
    """What opens the commitments, to lie beside the receipt."""
    return Sealed(
        args=action.tool_args,
        args_salt=args_salt.hex(),
        action_hash=action.action_hash,
        critical=tuple([each.value for each in decision.critical]),
        modified_args=decision.modified_args,
        modified_salt=modified_salt.hex() or None,
        result=outcome.result if outcome is not None else None,
        error=outcome.error if outcome is not None else None,
        result_salt=result_salt.hex() or None,
    )


def _action(action: NormalizedAction, salt: bytes, timestamp: str) -> ActionPart:
    return ActionPart(
        id=action.id,
        hash=commit(slots.ACTION_HASH, salt, action.action_hash),
        tool=action.tool_name,
        operation=action.operation,
        args=commit(slots.ARGS, salt, action.tool_args),
        trigger=action.trigger,
        runtime=action.runtime,
        timestamp=timestamp,
        called_as=action.called_as,
        parent=action.parent_action_id,
        depends_on=action.depends_on,
    )


def _identity(action: NormalizedAction, caller: Caller, facts: Facts) -> IdentityPart:
    return IdentityPart(
        user=action.user_id,
        agent=action.agent_id,
        principal=caller.principal_id,
        principal_kind=caller.kind,
        method=caller.method,
        claimed_user=action.claimed_user_id,
        service=action.service,
        roles=facts.roles,
        scopes=facts.scopes,
        delegation=_passed_on(caller),
    )


def _passed_on(caller: Caller) -> tuple[str, ...]:
    """Who passed the right on: the human of a key that is a coding agent's, and each agent that delegated."""
    lane = (caller.user_id, f"lane:{caller.lane}") if caller.lane else ()
    return (*lane, *(f"agent:{hop.delegator}:{hop.id}" for hop in caller.delegation))


def _decision(decision: Decision, args_salt: bytes, modified_salt: bytes) -> DecisionPart:
    return DecisionPart(
        effect=decision.effect,
        reason_code=decision.reason_code,
        reason=decision.reason,
        policy_version=decision.policy_version,
        risk=decision.risk,
        category=decision.category,
        intent=decision.intent,
        rule=_rule(decision.rule) if decision.rule is not None else None,
        matched=tuple([f"{each.policy}/{each.id}" for each in decision.matched]),
        asks=decision.asks,
        alerts=decision.alerts,
        missing=decision.missing,
        modifications=decision.modifications,
        modified=commit(slots.MODIFIED, modified_salt, decision.modified_args) if modified_salt else None,
        critical=_critical(decision.critical, args_salt) if decision.critical else (),
        grant=decision.grant_id,
    )


def _rule(rule: RuleRef) -> RulePart:
    return RulePart(id=rule.id, name=rule.name, policy=rule.policy, effect=rule.effect, priority=rule.priority)


def _critical(arguments: tuple[ArgumentOrigin, ...], salt: bytes) -> tuple[CriticalPart, ...]:
    return tuple(
        CriticalPart(
            name=each.name,
            value=commit(slots.critical_slot(index), salt, each.value),
            origin=each.origin.name.lower(),
            source=each.source,
        )
        for index, each in enumerate(arguments)
    )


def _approval(request: ApprovalRequest) -> ApprovalPart:
    return ApprovalPart(
        request_id=request.id,
        kind=request.kind,
        status=request.status,
        quorum=request.spec.quorum,
        expires_at=rfc3339(request.expires_at),
        votes=tuple(
            VotePart(by=vote.by, verdict=vote.verdict, at=rfc3339(vote.at), own_request=vote.own_request)
            for vote in request.votes
        ),
    )


def _deferral(request: ApprovalRequest) -> DeferralPart:
    ended = request.decided_at is not None and request.votes
    return DeferralPart(
        reason=request.reason,
        method=request.votes[-1].verdict if ended else None,
        resolved_at=rfc3339(request.decided_at) if request.decided_at is not None else None,
    )


def _permit(permit: PermitRecord, salt: bytes) -> PermitPart:
    return PermitPart(
        id=permit.id,
        args_hash=commit(slots.PERMIT_ARGS, salt, permit.args_hash),
        expires_at=rfc3339(permit.expires_at),
        audience=permit.audience,
    )


def _outcome(outcome: Outcome, salt: bytes) -> OutcomePart:
    return OutcomePart(
        status=outcome.status,
        result=commit(slots.RESULT, salt, outcome.result) if outcome.result is not None else None,
        error=commit(slots.ERROR, salt, outcome.error) if outcome.error is not None else None,
        duration_ms=outcome.duration_ms,
    )
