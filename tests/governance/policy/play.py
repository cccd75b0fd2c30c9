"""A session played against one engine: decisions, charges and context as they follow one another."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import DocumentFormat, load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Decision, Effect
from tests.governance.policy.support import ACCUMULATOR, FACTS, NOW, action, session


def fpl(text: str, name: str = "p") -> PolicyEngine:
    return PolicyEngine(compile_policies([load(text, format="fpl", name=name)]))


def read(text: str, form: DocumentFormat, name: str) -> PolicyEngine:
    return PolicyEngine(compile_policies([load(text, format=form, name=name)]))


class Play:
    def __init__(self, engine: PolicyEngine, agent: str = "payment-bot") -> None:
        self.engine, self.agent = engine, agent
        self.context = session()
        self.spent: dict[str, int] = {}
        self.now = NOW
        self.count = 0

    def say(
        self, tool: str, args: Mapping[str, Any] | None = None, *, wait: float = 1, approve: bool = False, **facts: Any
    ) -> Decision:
        """Decide a call `wait` seconds after the last one. `approve`: a person says yes where one is asked."""
        self.now += wait
        self.count += 1
        if self.count == 1:
            self.context.created_at = self.now
        call = action(tool, args, id=f"a{self.count}", agent_id=self.agent, timestamp=self.now)
        observation = ACCUMULATOR.observe(self.context, call, self.engine.tool(tool))
        known = replace(FACTS, now=self.now, **facts)
        decided = self.engine.evaluate(call, observation, known, lambda key: self.spent.get(key, 0))
        if approve and decided.effect.waits:
            known = replace(known, satisfied=decided.asks)
            decided = self.engine.evaluate(call, observation, known, lambda key: self.spent.get(key, 0))
        for charge in decided.charges:
            self.spent[charge.key] = self.spent.get(charge.key, 0) + charge.amount
        delta = ACCUMULATOR.decided(self.context, call, observation, decided, self.now)
        ACCUMULATOR.apply(self.context, delta)
        return decided

    def effect(self, tool: str, args: Mapping[str, Any] | None = None, **more: Any) -> Effect:
        return self.say(tool, args, **more).effect
