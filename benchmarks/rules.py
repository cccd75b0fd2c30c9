"""Rules and requests of the mix that every figure about policies uses. The same numbers always give the same ones."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import ToolCall

REQUESTS = 2000
AGENTS = 40
VERBS = "read list get create update delete send export import archive approve refund search sync publish".split()
NOUNS = "order mail invoice ticket customer file report payment user team page record event token image".split()
REGIONS = "eu us apac latam".split()

Rule = dict[str, Any]


def mixed(count: int, *, limited: int = 0) -> str:
    """60 % literal tools, 25 % prefixes, 8 % suffixes, 4 % contained parts, 3 % `*`; 0 to 2 conditions on arguments.

    `limited`: one rule in so many has a rate limit.
    """
    chance = random.Random(count)
    made = [_mixed_rule(chance, number, number / count) for number in range(count)]
    for one in made[:: limited or count + 1]:
        one["rate"] = {"per_minute": 1_000_000}
    return document(made)


def adversarial(count: int) -> str:
    """Every rule matches every name and fails only on its arguments, so nothing can stop early."""
    chance = random.Random(count)
    when = [f"args.amount > {200_000 + number} && args.region == '{chance.choice(REGIONS)}'" for number in range(count)]
    return document([rule(number, when=when[number], priority=100 + number) for number in range(count)])


def requests(session: str = "s1") -> list[ToolCall]:
    """`REQUESTS` distinct calls; about four in five name a tool that some literal rule of a large mix names."""
    chance = random.Random(1)
    return [
        ToolCall(
            tool_name=f"{_tool(chance)}_{chance.randrange(60) if chance.random() < 0.8 else chance.randrange(60, 900)}",
            agent_id=f"agent-{chance.randrange(AGENTS)}",
            session_id=session,
            tool_args={
                "amount": number,
                "region": chance.choice(REGIONS),
                "path": f"/data/{chance.choice(NOUNS)}/{number}",
            },
        )
        for number in range(REQUESTS)
    ]


def look_up(calls: Sequence[ToolCall]) -> Callable[[ToolCall], object]:
    """The yardstick: a request's answer by one `dict.get` under its tool and agent."""
    get = {(call.tool_name, call.agent_id): call for call in calls}.get

    def find(call: ToolCall) -> object:
        return get((call.tool_name, call.agent_id))

    return find


def engine(text: str) -> PolicyEngine:
    return PolicyEngine(compile_policies([load(text, format="json")]))


def document(rules: list[Rule]) -> str:
    return json.dumps({"name": "bench", "default": "deny", "rules": rules})


def _mixed_rule(chance: random.Random, number: int, position: float) -> Rule:
    tool = f"{_tool(chance)}_{chance.randrange(60)}"
    if position >= 0.97:
        tool = "*"
    elif position >= 0.93:
        tool = f"*{chance.choice(NOUNS)}_{chance.randrange(60)}*"
    elif position >= 0.85:
        tool = f"*_{chance.choice(NOUNS)}_{chance.randrange(60)}"
    elif position >= 0.60:
        tool = f"{_tool(chance)}_{chance.randrange(10)}*"
    agent = chance.choice(("*", "*", "agent-1*", f"agent-{chance.randrange(AGENTS)}"))
    session = f"batch-{chance.randrange(10)}-*" if chance.random() < 0.1 else "*"
    when = " && ".join(chance.sample(_conditions(chance), chance.randrange(3)))
    return rule(number, tool, agent, session, when=when, priority=chance.randrange(1, 100_000))


def _conditions(chance: random.Random) -> list[str]:
    return [
        f"args.amount <= {chance.randrange(1000, 2000)}",
        f"args.amount >= {chance.randrange(1000)}",
        f"args.region == '{chance.choice(REGIONS)}'",
        f"args.path.startsWith('/data/{chance.choice(NOUNS)}/')",
    ]


def rule(
    number: int, tool: str = "*", agent: str = "*", session: str = "*", *, when: str = "", priority: int = 100
) -> Rule:
    effect = "deny" if number % 3 == 0 else "allow"
    plain = {"id": f"r{number}", "effect": effect, "priority": priority}
    return {**plain, "match": {"tool": tool, "agent": agent, "session": session}, **({"when": when} if when else {})}


def _tool(chance: random.Random) -> str:
    return f"{chance.choice(VERBS)}_{chance.choice(NOUNS)}"
