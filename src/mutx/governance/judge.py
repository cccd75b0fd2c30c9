"""From facts to a decision: the one pure function that every verb and every later recomputation goes through.

`judge(engine, observation, facts, counter)` depends on nothing but its arguments, so a stored turn can be judged again
(`replay.py`) and must come out the same.
"""

import logging
from collections.abc import Callable

from msgspec.structs import replace

from mutx.governance.context import Observation
from mutx.governance.delegated import under_delegation
from mutx.governance.delegation_scope import out_of_scope
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Verdict
from mutx.governance.types import ApprovalSpec, Decision, Effect, Facts, NormalizedAction, ReasonCode, SessionNote
from mutx.kit.canonical import digest

logger = logging.getLogger(__name__)

REQUESTED = "requested"
"""What an approval of a caller-requested question satisfies."""

MAX_WAITING = 64
"""Calls of one session that may wait at a time; people cannot be flooded beyond it."""

REFUSALS: dict[str, tuple[ReasonCode, str]] = {
    Verdict.DENY: (ReasonCode.APPROVAL_DENIED, "a reviewer denied it"),
    Verdict.CANCEL: (ReasonCode.APPROVAL_CANCELLED, "the request was cancelled"),
    Verdict.EXPIRE: (ReasonCode.APPROVAL_EXPIRED, "nobody answered before the deadline"),
}


def judge(engine: PolicyEngine, observation: Observation, facts: Facts, counter: Callable[[str], int]) -> Decision:
    """Decide. Deterministic over (action, facts, policy version); an engine failure is a deny."""
    if facts.noted is not None:
        return _noted(engine, facts.noted)
    refused = _refusal(engine, facts) or _undelegated(engine, observation, facts)
    if refused is not None:
        return refused
    try:
        decision = engine.evaluate(observation.action, observation, facts, counter)
        if facts.delegation:
            decision = under_delegation(engine, observation, facts, counter, decision)
    except Exception:
        logger.exception("the policy engine failed on action %s; denied", observation.action.id)
        return _deny(engine, ReasonCode.ENGINE_ERROR, "the policy engine failed; see the server log")
    if facts.ask and decision.effect.runs and REQUESTED not in facts.satisfied:
        decision = replace(
            decision,
            effect=Effect.STEP_UP,
            reason_code=ReasonCode.REQUIRES_APPROVAL,
            reason="the caller asked for a person's approval",
            asks=(REQUESTED,),
            approval=None if facts.ask_timeout is None else ApprovalSpec(timeout=facts.ask_timeout),
        )
    if decision.effect.waits and facts.verdict is None and len(observation.context.waiting) >= MAX_WAITING:
        return _deny(engine, ReasonCode.TOO_MANY_WAITING, f"{MAX_WAITING} calls of this session wait already")
    if decision.charges and not decision.effect.runs:
        # Only what is released is charged: a question must not cost what its answer will cost again.
        decision = replace(decision, charges=())
    if facts.verdict == Verdict.APPROVE and decision.effect.runs:
        return _approved(observation, facts, decision)
    return decision


def _approved(observation: Observation, facts: Facts, decision: Decision) -> Decision:
    """An approval stands for the arguments that the approver saw; others are a new question."""
    args_hash = executed_hash(observation.action, decision)
    changed = f"arguments:{args_hash}"
    if facts.args_hash is not None and args_hash != facts.args_hash and changed not in facts.satisfied:
        return replace(
            decision,
            effect=Effect.STEP_UP,
            reason_code=ReasonCode.REQUIRES_APPROVAL,
            reason="the policy now modifies the arguments differently from what was approved",
            asks=(changed,),
            charges=(),
        )
    return replace(decision, reason_code=ReasonCode.APPROVED, reason=f"approved; {decision.reason}")


def executed_hash(action: NormalizedAction, decision: Decision) -> str:
    """Hash of the arguments that would be executed: the modified ones where there are any."""
    return digest(action.tool_args if decision.modified_args is None else decision.modified_args)


def _refusal(engine: PolicyEngine, facts: Facts) -> Decision | None:
    if facts.closed:
        return _deny(engine, ReasonCode.SESSION_CLOSED, "the session is closed; open a new one")
    if facts.verdict in REFUSALS:
        return _deny(engine, *REFUSALS[facts.verdict])
    if facts.revoked:
        return _deny(engine, ReasonCode.IDENTITY_REVOKED, "the identity that asked is no longer valid")
    if facts.paused:
        return _deny(
            engine,
            ReasonCode.AGENT_PAUSED,
            "the agent is paused because too many of its calls fail; someone who manages it may resume it",
        )
    if facts.forbidden is not None:
        return _deny(
            engine,
            ReasonCode.NOT_PERMITTED,
            f"permission {facts.forbidden} of the workspace forbids this to whoever asked",
        )
    return None


def _undelegated(engine: PolicyEngine, observation: Observation, facts: Facts) -> Decision | None:
    """The denial of a call whose delegation does not hold, or does not reach it."""
    if facts.undelegated is not None:
        return _deny(engine, ReasonCode.DELEGATION_INVALID, facts.undelegated)
    if not facts.delegation:
        return None
    action = observation.action
    why = out_of_scope(facts.delegation, action.agent_id, action.tool_name, action.tool_args, facts.now)
    return _deny(engine, ReasonCode.DELEGATION_SCOPE, why) if why else None


def _noted(engine: PolicyEngine, note: SessionNote) -> Decision:
    """The guardrail's profile has decided already; the turn says what."""
    effect = Effect.DENY if note.refused else Effect.ALLOW
    return Decision(effect=effect, reason_code=ReasonCode.GUARDRAIL, reason=note.reason, policy_version=engine.version)


def _deny(engine: PolicyEngine, code: ReasonCode, reason: str) -> Decision:
    return Decision(effect=Effect.DENY, reason_code=code, reason=reason, policy_version=engine.version)
