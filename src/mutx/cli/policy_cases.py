"""Cases for a policy: what was done before, what is called, and what must come of it. Run by the engine itself."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from mutx.cli.build import problems_of
from mutx.cli.files import text_of
from mutx.contract.base import Input
from mutx.governance.context import ContextAccumulator, SessionContext
from mutx.governance.judge import judge
from mutx.governance.mediator import ActionMediator
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.model import PolicyDocument
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Caller, Decision, Door, Effect, Facts, NormalizedAction, PrincipalKind, ToolCall
from mutx.kit.errors import InputError
from mutx.kit.ids import new_id

WORKSPACE = "policy-test"
NOON = 1_800_014_400.0
"""When cases happen unless they say otherwise: 2027-01-15 12:00 UTC, a Friday."""


class PriorStep(Input):
    """Something that the session did before: it is taken as allowed, and its result counts as seen."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    result: Any = None


class PolicyCase(Input):
    """One line of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    expect: Effect
    expect_rule: str | None = None
    """Id of the rule that must decide."""
    expect_args: dict[str, Any] | None = None
    """What the arguments must be after a modify."""
    request: str | None = None
    """What the user asked for."""
    after: list[PriorStep] = Field(default_factory=list)
    agent: str = "agent"
    session: str = "session"
    roles: list[str] = Field(default_factory=list)
    scopes: list[str] = Field(default_factory=list)
    at: float = NOON
    """Seconds since the epoch."""


class CaseResult(NamedTuple):
    name: str
    passed: bool
    expected: str
    got: str
    reason: str


def read_cases(file: Path) -> list[PolicyCase]:
    """The `cases` of a YAML file. Raises InputError."""
    try:
        content = yaml.safe_load(text_of(file))
        return TypeAdapter(list[PolicyCase]).validate_python(content["cases"])
    except (yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: a mapping with a list under `cases` is needed: {error}") from error
    except ValidationError as error:
        raise InputError(f"{file}: cases: {problems_of(error)}") from error


def try_case(policy: PolicyDocument, case: PolicyCase) -> CaseResult:
    """Decide the case's call in a session of its own."""
    trial = PolicyTrial(policy, case)
    for step in case.after:
        trial.remember(step)
    decision = trial.decide(case.tool, case.args)[1]
    rule = None if decision.rule is None else decision.rule.id
    passed = (
        decision.effect is case.expect
        and case.expect_rule in (None, rule)
        and case.expect_args in (None, decision.modified_args)
    )
    expected = [case.expect.value, case.expect_rule, case.expect_args]
    got = [
        decision.effect.value,
        rule if case.expect_rule else None,
        decision.modified_args if case.expect_args else None,
    ]
    return CaseResult(case.name, passed, _words(expected), _words(got), decision.reason)


def _words(parts: list[Any]) -> str:
    return " ".join(str(part) for part in parts if part is not None)


class PolicyTrial:
    """A session in memory under one policy."""

    def __init__(self, policy: PolicyDocument, case: PolicyCase) -> None:
        self._engine = PolicyEngine(compile_policies([policy]))
        self._mediator, self._accumulator = ActionMediator(), ContextAccumulator()
        self._case = case
        self._caller = Caller(
            workspace_id=WORKSPACE,
            principal_id=case.agent,
            kind=PrincipalKind.AGENT,
            door=Door.EMBEDDED,
            user_id="user",
            roles=tuple(case.roles),
            scopes=tuple(case.scopes),
        )
        self._context: SessionContext = self._accumulator.new(
            workspace_id=WORKSPACE,
            session_id=case.session,
            agent_id=case.agent,
            user_id="user",
            now=case.at,
            original_request=case.request,
        )
        self._spent: dict[str, int] = {}

    def decide(self, tool: str, args: dict[str, Any]) -> tuple[NormalizedAction, Decision]:
        """What the engine says of a call now; it becomes part of the session."""
        call = ToolCall(tool_name=tool, tool_args=args, agent_id=self._case.agent, session_id=self._case.session)
        now, engine = self._case.at, self._engine
        action = self._mediator.normalize(call, self._caller, tools=engine.tool, id=new_id(), now=now)
        observation = self._accumulator.observe(self._context, action, engine.tool(action.tool_name))
        facts = Facts(
            context_hash=self._context.hash,
            now=now,
            roles=action.roles,
            scopes=action.scopes,
            principal_kind=self._caller.kind,
        )
        decision = judge(engine, observation, facts, lambda key: self._spent.get(key, 0))
        for charge in decision.charges:
            self._spent[charge.key] = self._spent.get(charge.key, 0) + charge.amount
        delta = self._accumulator.decided(self._context, action, observation, decision, now)
        self._accumulator.apply(self._context, delta)
        return action, decision

    def remember(self, step: PriorStep) -> None:
        """A call of before, with what it returned."""
        action, _ = self.decide(step.tool, step.args)
        outcome = Outcome(status=OutcomeStatus.EXECUTED, result=step.result)
        schema = self._engine.tool(action.tool_name)
        delta = self._accumulator.concluded(self._context, action, outcome, schema, self._case.at)
        self._accumulator.apply(self._context, delta)
