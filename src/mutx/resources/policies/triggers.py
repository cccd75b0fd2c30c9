"""What the audit log hears of guardrails: a rule on texts that matched in an agent's run."""

from mutx.contract.policies import PolicyEvaluationContext, PolicyEvaluationResult, PolicyVerdict, RuleScope
from mutx.governance.types import Caller
from mutx.kit.clock import Clock
from mutx.storage.engine import Database
from mutx.web.news import tell_audit


async def tell_trigger(
    database: Database, clock: Clock, caller: Caller, asked: PolicyEvaluationContext, result: PolicyEvaluationResult
) -> None:
    """Nothing for a try that names no agent, session or run; never the text itself."""
    run = {name: value for name in ("agent_id", "session_id", "run_id") if (value := getattr(asked, name))}
    rules = [
        f"{match.policy_name}/{match.rule_id}" for match in result.matches if match.rule_scope is not RuleScope.TOOL
    ]
    if not run or not rules or result.decision is PolicyVerdict.ALLOW:
        return
    about = run | {
        "effect": result.decision.value,
        "rules": ", ".join(rules),
        "policy_version": result.policy_version or "",
    }
    async with database.write() as session:
        await tell_audit(session, caller, clock.now(), "GUARDRAIL_TRIGGER", **about)
