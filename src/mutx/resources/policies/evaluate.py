"""The dry run: what the policies in force say of a text or of a tool call. No receipt, no charge, no question."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from mutx.contract.policies import (
    PolicyEvaluationContext,
    PolicyEvaluationResult,
    PolicyKind,
    PolicyRuleMatch,
    PolicyVerdict,
    RuleScope,
    RuleType,
)
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.policy.model import RuleEffect
from mutx.governance.policy.short import ShortRule, ShortScope, strictest
from mutx.governance.types import Caller, Decision, Effect, RuleRef, ToolCall
from mutx.resources.policies.compiling import StoredPolicy, read_short

NOBODY, NOWHERE = "policies-evaluate", "policies-evaluate"
"""Agent and session of a tool call that names none."""

VERDICT_OF: Mapping[RuleEffect, PolicyVerdict] = {
    RuleEffect.DENY: PolicyVerdict.BLOCK,
    RuleEffect.STEP_UP: PolicyVerdict.REQUIRE_APPROVAL,
    RuleEffect.DEFER: PolicyVerdict.REQUIRE_APPROVAL,
    RuleEffect.WARN: PolicyVerdict.WARN,
    RuleEffect.MODIFY: PolicyVerdict.ALLOW,
    RuleEffect.ALLOW: PolicyVerdict.ALLOW,
}
STRICTEST_FIRST = (PolicyVerdict.BLOCK, PolicyVerdict.REQUIRE_APPROVAL, PolicyVerdict.WARN, PolicyVerdict.ALLOW)
TYPE_OF: Mapping[Effect, RuleType] = {Effect.ALLOW: RuleType.ALLOW, Effect.MODIFY: RuleType.ALLOW}
"""Of a PolicySet's rule; the rest hold a call up, which the short form calls `block`."""


class TextFinding(Struct, frozen=True):
    """A short rule whose pattern stands in the text."""

    policy: StoredPolicy
    rule: ShortRule
    number: int


class DryRun:
    """The policies in force in one caller's workspace."""

    def __init__(self, pipeline: GovernancePipeline, policies: Sequence[StoredPolicy], caller: Caller) -> None:
        self._pipeline = pipeline
        self._policies = {policy.name: policy for policy in policies}
        self._caller = caller

    async def evaluate(self, wanted: PolicyEvaluationContext, policy_version: str) -> PolicyEvaluationResult:
        texts = list(self._texts(wanted))
        decision = await self._decision(wanted) if wanted.tool else None
        said = [(VERDICT_OF[strictest(found.rule for found in texts)], _reason(texts))]
        if decision is not None:
            said.append((_verdict(decision), decision.reason))
        verdict, reason = min(said, key=lambda one: STRICTEST_FIRST.index(one[0]))
        matches = [_text_match(found) for found in texts]
        if decision is not None:
            matches += [match for ref in decision.matched if (match := self._tool_match(ref)) is not None]
        return PolicyEvaluationResult(
            decision=verdict,
            reason=reason,
            matches=matches,
            evaluated_policy_count=len(self._policies),
            run_id=wanted.run_id,
            agent_id=wanted.agent_id,
            session_id=wanted.session_id,
            effect=decision.effect.value if decision else None,
            reason_code=decision.reason_code.value if decision else None,
            policy_version=policy_version,
            modified_args=decision.modified_args if decision else None,
            missing=list(decision.missing) if decision else [],
        )

    async def _decision(self, wanted: PolicyEvaluationContext) -> Decision:
        call = ToolCall(
            tool_name=wanted.tool or "",
            tool_args=wanted.tool_args,
            agent_id=wanted.agent_id or self._caller.agent_id or NOBODY,
            session_id=wanted.session_id or NOWHERE,
        )
        return await self._pipeline.dry_run(call, self._caller)

    def _texts(self, wanted: PolicyEvaluationContext) -> Iterator[TextFinding]:
        given = {ShortScope.INPUT: wanted.input, ShortScope.OUTPUT: wanted.output}
        for policy in self._policies.values():
            if policy.kind is not PolicyKind.SHORT:
                continue
            short = read_short(policy.name, policy.document)
            for scope, text in given.items():
                if text is not None:
                    yield from (
                        TextFinding(policy, rule, short.rules.index(rule) + 1)
                        for rule in short.evaluate_text(scope, text)
                    )

    def _tool_match(self, ref: RuleRef) -> PolicyRuleMatch | None:
        policy = self._policies.get(ref.policy)
        if policy is None:
            return None
        short = _short_rule(policy, ref.id)
        return PolicyRuleMatch(
            policy_id=policy.id,
            policy_name=policy.name,
            policy_version=policy.version,
            rule_type=RuleType(short.type) if short else TYPE_OF.get(ref.effect, RuleType.BLOCK),
            rule_scope=RuleScope.TOOL,
            pattern=short.pattern if short else ref.name,
            action=short.action if short else ref.effect.value,
            rule_id=ref.id,
            effect=ref.effect.value,
        )


def _short_rule(policy: StoredPolicy, rule_id: str) -> ShortRule | None:
    """The short rule that `tool-<number>` was made from."""
    number = rule_id.removeprefix("tool-")
    if policy.kind is not PolicyKind.SHORT or not number.isdecimal():
        return None
    return read_short(policy.name, policy.document).rules[int(number) - 1]


def _text_match(found: TextFinding) -> PolicyRuleMatch:
    rule = found.rule
    return PolicyRuleMatch(
        policy_id=found.policy.id,
        policy_name=found.policy.name,
        policy_version=found.policy.version,
        rule_type=RuleType(rule.type),
        rule_scope=RuleScope(rule.scope),
        pattern=rule.pattern,
        action=rule.action,
        rule_id=f"{rule.scope}-{found.number}",
        effect=rule.effect.value,
    )


def _verdict(decision: Decision) -> PolicyVerdict:
    verdict = VERDICT_OF[RuleEffect(decision.effect.value)]
    return PolicyVerdict.WARN if verdict is PolicyVerdict.ALLOW and decision.alerts else verdict


def _reason(texts: Sequence[TextFinding]) -> str:
    if not texts:
        return "no rule on texts matched"
    worst = strictest(found.rule for found in texts)
    first = next(found for found in texts if found.rule.effect is worst)
    return f"{first.policy.name}: {first.rule.type} {first.rule.pattern} ({first.rule.action})"
