"""Real parts for stories about policies: documents from YAML, actions, observed sessions."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator, SessionContext
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Decision, Facts, NormalizedAction, PrincipalKind

NOW = 1_800_000_000.0
FACTS = Facts(context_hash="0" * 64, now=NOW, roles=("DEVELOPER",), scopes=("run",), principal_kind=PrincipalKind.AGENT)
ACCUMULATOR = ContextAccumulator()

TOOLS = """
tools:
  wipe: {risk: critical}
  pay:
    requires_approval: true
    approval_timeout: 100
  mail:
    critical: [to]
    ask_unknown: true
    parameters:
      to: {type: string, required: true}
    sink: internal
  post: {accepts_untrusted: false}
"""


def engine(*documents: str) -> PolicyEngine:
    return PolicyEngine(compile_policies([load(text) for text in documents]))


def policy(rules: str = "", *, default: str = "deny", name: str = "main", rest: str = "") -> str:
    return f"name: {name}\ndefault: {default}\nrules:\n{rules or '  []'}\n{rest}"


def session(session_id: str = "s1", **fields: Any) -> SessionContext:
    context = ACCUMULATOR.new(workspace_id="w", session_id=session_id, agent_id="agent-1", user_id="u1", now=NOW)
    for name, value in fields.items():
        setattr(context, name, value)
    return context


def action(tool: str = "send_mail", args: Mapping[str, Any] | None = None, **fields: Any) -> NormalizedAction:
    made = NormalizedAction(
        id="a1",
        tool_name=tool,
        operation="call",
        tool_args=dict(args or {}),
        agent_id="agent-1",
        session_id="s1",
        user_id="u1",
        service=None,
        roles=(),
        scopes=(),
        trigger="manual",
        runtime="mutx",
        parent_action_id=None,
        timestamp=NOW,
        action_hash="0" * 64,
        workspace_id="w",
    )
    return replace(made, **fields)


def decide(
    policies: PolicyEngine,
    call: NormalizedAction,
    *,
    context: SessionContext | None = None,
    counters: Mapping[str, int] | None = None,
    **facts: Any,
) -> Decision:
    observation = ACCUMULATOR.observe(context or session(call.session_id), call, policies.tool(call.tool_name))
    return policies.evaluate(call, observation, replace(FACTS, **facts), lambda key: (counters or {}).get(key, 0))
