"""Probes of interception, evaluation and the five decisions."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mutx.governance.answer import Answer
from mutx.governance.compliance_lab import (
    AGENT,
    AS_AGENT,
    REVIEWER,
    SESSION,
    WORKSPACE,
    BufferedLedger,
    Laboratory,
    ProbeFailed,
    Rig,
    expect,
)
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import ApprovalRequest, RequestStatus, Verdict
from mutx.governance.types import Effect, ReasonCode, ToolCall
from mutx.kit.errors import (
    AlreadyResolved,
    LedgerUnavailable,
    MutxError,
    PermissionDenied,
    PermitRefused,
    Unavailable,
)

FIVE = """
name: five-decisions
default: deny
tools:
  - {name: pay, parameters: {amount: {type: number, required: true, min: 0, max: 100}, iban: {pattern: "[A-Z0-9]{5,34}"}}}
rules:
  - {id: allow, match: {tool: read}, effect: allow}
  - {id: deny, match: {tool: drop}, effect: deny, reason: never drops}
  - {id: mask, match: {tool: mail}, effect: modify, modify: [{set: to, value: inside@example.com}]}
  - {id: ask, match: {tool: wire}, effect: step_up, timeout: 60s}
  - {id: unclear, match: {tool: guess}, effect: defer, timeout: 60s}
  - {id: pay, match: {tool: pay}, effect: allow}
  - {id: shut, match: {tool: launch}, effect: deny, final: true, priority: 900}
  - {id: open, match: {tool: launch}, effect: allow, priority: 1}
  - {id: missing, match: {tool: ship}, when: args.approved_by == "ana", effect: allow}
  - {id: yes, match: {tool: both}, effect: allow, priority: 50}
  - {id: no, match: {tool: both}, effect: deny, priority: 50}
"""


async def allowed_runs(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    answer = await rig.call("read", path="a")
    expect(answer.effect is Effect.ALLOW and rig.tool.ran == [{"path": "a"}], "an allowed call did not run as it was")
    return "an allowed call ran once, with its own arguments"


async def denied_never_runs(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    denied = [await rig.call("drop", table="users"), await rig.call("no_rule_names_this")]
    expect(all(answer.effect is Effect.DENY for answer in denied), "a denied call was not denied")
    expect(not rig.tool.ran, "a denied tool ran")
    turns = await rig.turns()
    expect(len(turns) == len(denied), "a denial left no receipt")
    expect(turns[0].decision.rule is not None and bool(turns[0].decision.reason), "a receipt names no rule or reason")
    return "denied by rule and by default: the tool ran 0 times, both denials have receipts naming rule and reason"


async def waiting_never_runs(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    waiting = [await rig.call("wire", amount=1), await rig.call("guess", at="it")]
    expect([a.effect for a in waiting] == [Effect.STEP_UP, Effect.DEFER], "a waiting call did not wait")
    expect(all(a.permit is None for a in waiting) and not rig.tool.ran, "a waiting tool ran or held a permit")
    expect(len(await rig.turns()) == len(waiting), "a waiting call left no receipt")
    return "step_up and defer: the tool ran 0 times while suspended, both have receipts"


class DeadLedger:
    """A store that fails on one operation, after the disk gave out."""

    def __init__(self, alive: BufferedLedger, broken: str) -> None:
        self._alive = alive
        self._broken = broken

    def __getattr__(self, name: str) -> Any:
        if name == self._broken:
            raise LedgerUnavailable("the store is dead")
        return getattr(self._alive, name)


class DeadPolicies:
    """A policy store that cannot answer."""

    def current(self, workspace_id: str) -> PolicyEngine | None:
        return None

    async def load(self, workspace_id: str) -> PolicyEngine:
        raise Unavailable("the policy store is dead")


async def dead_store_refuses(lab: Laboratory) -> str:
    rigs = {
        "receipt store": lab.rig(FIVE, ledger=lambda alive: DeadLedger(alive, "append")),
        "context store": lab.rig(FIVE, ledger=lambda alive: DeadLedger(alive, "cached")),
        "policy store": lab.rig(FIVE, policies=DeadPolicies()),
    }
    for what, rig in rigs.items():
        await _refused(rig, what)
    return f"each of {', '.join(rigs)} dead: the call failed, the tool ran 0 times"


async def _refused(rig: Rig, what: str) -> None:
    try:
        await rig.call("read", path="a")
    except MutxError:
        expect(not rig.tool.ran, f"the tool ran with a dead {what}")
        return
    raise ProbeFailed(f"a call was answered with a dead {what}")


async def parameters_are_checked(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    wrong: list[dict[str, Any]] = [
        {"amount": "7"},
        {"amount": -1},
        {"amount": 101},
        {},
        {"amount": 7, "iban": "x'; --"},
    ]
    for args in wrong:
        answer = await rig.call("pay", **args)
        expect(answer.decision.reason_code is ReasonCode.PARAMETER_VIOLATION, f"{sorted(args)} passed the checks")
    expect(not rig.tool.ran, "a tool ran with arguments out of bounds")
    right = await rig.call("pay", amount=7, iban="DE00X")
    expect(right.effect is Effect.ALLOW and len(rig.tool.ran) == 1, "arguments within bounds were refused")
    return "type, range, presence and pattern: 5 calls denied, one within bounds allowed"


async def forbidden_is_final(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    asked = ToolCall(
        tool_name="launch",
        agent_id=AGENT,
        session_id=SESSION,
        original_request="Please launch, the owner has already agreed to launch.",
    )
    answer = await rig.decide(asked)
    expect(answer.decision.reason_code is ReasonCode.FORBIDDEN_RULE and not rig.tool.ran, "a final deny was overridden")
    return "a final deny held against an allow of higher priority and a request that asked for it"


async def doubt_defers(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    missing, conflict = await rig.call("ship"), await rig.call("both")
    expect(missing.effect is Effect.DEFER and missing.decision.reason_code is ReasonCode.MISSING_CONTEXT, "no defer")
    expect(conflict.effect is Effect.DEFER and conflict.decision.reason_code is ReasonCode.RULE_CONFLICT, "no defer")
    return "a missing field and two rules of one priority that disagree: deferred, each with its own reason code"


async def same_facts_same_decision(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    for name in ("read", "drop", "mail", "wire", "guess", "both", "unknown"):
        call = ToolCall(tool_name=name, tool_args={"to": "a"}, agent_id=AGENT, session_id=SESSION)
        first, second = await rig.pipeline.dry_run(call, AS_AGENT), await rig.pipeline.dry_run(call, AS_AGENT)
        expect(first == second, f"{name} was decided differently on the same facts")
    return "seven calls decided twice on the same facts: equal in every field"


async def modified_runs_as_modified(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    sent = {"to": "outside@example.org", "body": "hello"}
    answer = await rig.pipeline.decide(
        ToolCall(tool_name="mail", tool_args=sent, agent_id=AGENT, session_id=SESSION), AS_AGENT
    )
    expect(answer.effect is Effect.MODIFY and answer.permit is not None, "a modify did not modify")
    try:
        await rig.pipeline.redeem(answer.permit or "", sent, AS_AGENT)
    except PermitRefused:
        await rig.run(answer, sent)
        expect(rig.tool.ran == [{"to": "inside@example.com", "body": "hello"}], "other arguments were executed")
        return "the permit refused the original arguments; what ran is what the policy made of them"
    raise ProbeFailed("the permit was good for the arguments before the change")


async def timeout_denies(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    waiting = [await rig.call("wire", amount=1), await rig.call("guess")]
    rig.clock.advance(61)
    await rig.pipeline.sweep()
    for answer in waiting:
        after = await rig.pipeline.status(answer.action_id, AS_AGENT)
        expect(
            after.effect is Effect.DENY and after.permit is None, "an unanswered call was not denied at its deadline"
        )
    expect(not rig.tool.ran, "an unanswered call ran")
    return "an unanswered step_up and an unanswered defer were denied at their deadline, with follow-up receipts"


async def approval_is_single_use(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    asked = await rig.call("wire", amount=1)
    request = _request(asked)
    released = await rig.pipeline.resolve(request.id, Verdict.APPROVE, REVIEWER)
    await rig.run(released, {"amount": 1})
    expect(rig.tool.ran == [{"amount": 1}], "an approved call did not run once")
    await _raises(AlreadyResolved, rig.pipeline.resolve(request.id, Verdict.APPROVE, REVIEWER), "approved twice")
    await _raises(
        PermitRefused, rig.pipeline.redeem(released.permit or "", {"amount": 1}, AS_AGENT), "permit spent twice"
    )
    other = await rig.call("wire", amount=2)
    expect(other.effect is Effect.STEP_UP and len(rig.tool.ran) == 1, "one approval let another call run")
    return "an approval released exactly the call it was asked for, once"


async def agents_never_approve(lab: Laboratory) -> str:
    rig = lab.rig(FIVE)
    request = _request(await rig.call("wire", amount=1))
    await _raises(PermissionDenied, rig.pipeline.resolve(request.id, Verdict.APPROVE, AS_AGENT), "an agent approved")
    held = await rig.ledger.request(WORKSPACE, request.id)
    expect(
        held is not None and held.status is RequestStatus.PENDING and not rig.tool.ran, "the refusal changed something"
    )
    return "an agent's key was refused as a reviewer; the request still waits"


def _request(answer: Answer) -> ApprovalRequest:
    if answer.request is None:
        raise ProbeFailed("nobody was asked")
    return answer.request


async def _raises(error: type[MutxError], attempt: Awaitable[object], otherwise: str) -> None:
    try:
        await attempt
    except error:
        return
    raise ProbeFailed(otherwise)


DECISION_PROBES: Mapping[str, Callable[[Laboratory], Awaitable[str]]] = {
    probe.__name__: probe
    for probe in (
        allowed_runs,
        denied_never_runs,
        waiting_never_runs,
        dead_store_refuses,
        parameters_are_checked,
        forbidden_is_final,
        doubt_defers,
        same_facts_same_decision,
        modified_runs_as_modified,
        timeout_denies,
        approval_is_single_use,
        agents_never_approve,
    )
}
