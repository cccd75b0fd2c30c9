"""An FPL file as the tree of a PolicySet document.

First match in file order becomes priority: the first rule has 100, the next 101. What an agent's block says holds for
that agent: its default is no default of others, and its rules, limits and phases match no other agent.
"""

import re
from collections.abc import Iterator

from mutx.governance.policy.fpl.cel_text import quoted
from mutx.governance.policy.fpl.syntax import FplAgent, FplBudget, FplDelegate, FplFile, FplPhase, FplRule, Place
from mutx.governance.policy.nodes import Node

FIRST_PRIORITY = 100
REDACTED = "[REDACTED]"
AMOUNT = "has(args.amount) ? args.amount : 0"
"""What a call costs: its `amount`. A call without one costs nothing."""
_NO_ID = re.compile(r"[^A-Za-z0-9._-]+")


def translate(file: FplFile, name: str) -> Node:
    """The document, to be read like any other."""
    writer = _Writer()
    for agent in file.agents:
        writer.agent(agent)
    fields: dict[str, Node] = {"name": _node(name), "description": _node(_about(file))}
    flat = [agent for agent in file.agents if agent.id == "*"]
    chosen = [agent.default for agent in flat if agent.default]
    fields["default"] = _node("none" if not flat else chosen[0] if chosen else "deny")
    fields["defaults"] = _listed(
        [
            _node({"agent": each.id, "effect": each.default or "deny"}, each.place)
            for each in file.agents
            if each.id != "*"
        ]
    )
    for field in ("rules", "limits", "rewrites", "phases"):
        fields[field] = _listed(getattr(writer, field))
    return Node(
        {key: node for key, node in fields.items() if node.value not in ([], "")}, 1, 1, dict.fromkeys(fields, (1, 1))
    )


class _Writer:
    """Collects the entries of the document's lists."""

    def __init__(self) -> None:
        self.rules: list[Node] = []
        self.limits: list[Node] = []
        self.rewrites: list[Node] = []
        self.phases: list[Node] = []
        self._ids: dict[str, int] = {}

    def agent(self, agent: FplAgent) -> None:
        stem = "" if agent.id == "*" else f"{_slug(agent.id)}."
        for rule in agent.rules:
            self._rule(agent.id, stem, rule)
        for phase in agent.phases:
            self._phase(agent, stem, phase)
        for delegate in agent.delegates:
            self._delegate(agent.id, stem, delegate)
        for budget in agent.budgets:
            for entry in _budget(agent.id, f"{stem}budget-{budget.id}", budget):
                self.limits.append(_node(entry, budget.place))
        for rate in agent.rates:
            entry = {
                "id": self._id(f"{stem}rate-line-{rate.place[0]}"),
                "match": {"tool": rate.tool, "agent": agent.id},
                "rate": {f"per_{rate.per}": rate.calls},
            }
            self.limits.append(_node(entry, rate.place))
        for redaction in agent.redactions:
            entry = {
                "id": self._id(f"{stem}redact-line-{redaction.place[0]}"),
                "match": {"tool": redaction.tool, "agent": agent.id},
                "modify": [{"set": path, "value": REDACTED} for path in redaction.paths],
            }
            self.rewrites.append(_node(entry, redaction.place))

    def _phase(self, agent: FplAgent, stem: str, phase: FplPhase) -> None:
        """Its rules hold while the session is in it; the tools that they let through are its tools."""
        tools = dict.fromkeys(rule.tool for rule in phase.rules if rule.effect in {"allow", "step_up"})
        entry = {
            "id": phase.id,
            "agent": agent.id,
            "tools": list(tools),
            "duration": phase.duration,
            "next": phase.next,
        }
        self.phases.append(_node({key: value for key, value in entry.items() if value is not None}, phase.place))
        inside = f"session.phase == {quoted(phase.id)}"
        for rule in phase.rules:
            self._rule(agent.id, stem, rule, inside)
        following = phase.next or next(
            (after.id for one, after in zip(agent.phases, agent.phases[1:], strict=False) if one is phase), None
        )
        if following is not None:
            enter = FplRule(effect="allow", tool=f"phase/{following}", place=phase.place)
            self._rule(agent.id, stem, enter, inside)

    def _delegate(self, agent: str, stem: str, delegate: FplDelegate) -> None:
        """The hand-off is a call of `delegate/<agent>`: allowed, or asked about, within these bounds."""
        scope = ", ".join(map(quoted, delegate.scope))
        parts = [f"args.tools.all(tool, tool in [{scope}])"]
        if delegate.ttl is not None:
            parts.append(f"args.seconds <= {delegate.ttl:g}")
        for path, most in delegate.ceilings.items():
            parts.append(f"{quoted(path)} in args.ceilings && args.ceilings[{quoted(path)}] <= {most:g}")
        rule = FplRule(
            effect="step_up" if delegate.approval else "allow",
            tool=f"delegate/{delegate.to}",
            when=" && ".join(parts),
            when_at=delegate.place,
            place=delegate.place,
        )
        self._rule(agent, stem, rule)

    def _rule(self, agent: str, stem: str, rule: FplRule, inside: str = "") -> None:
        when = rule.when
        if inside:
            when = f"{inside} && ({when})" if when else inside
        plain = {
            "id": self._id(f"{stem}line-{rule.place[0]}"),
            "name": f"{rule.effect} {rule.tool}"[:200],
            "priority": FIRST_PRIORITY + len(self.rules),
            "match": {"tool": rule.tool, "agent": agent},
            "when": when,
            "effect": "deny" if rule.effect == "forbid" else rule.effect,
            "final": True if rule.effect == "forbid" else None,
            "notify": rule.notify or None,
            "reason": rule.reason or None,
        }
        node = _node({key: value for key, value in plain.items() if value is not None}, rule.place)
        if when:
            assert isinstance(node.value, dict)
            node.value["when"] = Node(when, *rule.when_at) if rule.when else Node(when, *rule.place)
        self.rules.append(node)

    def _id(self, wanted: str) -> str:
        count = self._ids[wanted] = self._ids.get(wanted, 0) + 1
        return wanted if count == 1 else f"{wanted}-{count}"


def _budget(agent: str, stem: str, budget: FplBudget) -> Iterator[dict[str, object]]:
    match = {"agent": agent}
    per = "session" if budget.id == "session" else "day"
    for amount, period, suffix in ((budget.max, per, ""), (budget.daily, "day", "-day")):
        if amount is not None:
            limit = {"amount": AMOUNT, "max": amount, "per": period, "on_exceed": budget.on_exceed}
            limit |= {} if budget.warn_at is None else {"warn_at": budget.warn_at}
            yield {"id": f"{stem}{suffix}", "match": match, "budget": limit}
    if budget.max_calls is not None:
        yield {
            "id": f"{stem}-calls",
            "match": match,
            "rate": {f"per_{per}": budget.max_calls, "on_exceed": budget.on_exceed},
        }


def _about(file: FplFile) -> str:
    """What the file tells of its agents and nothing here enforces."""
    told = (
        f"agent {agent.id}: {', '.join(f'{key} {value}' for key, value in sorted(agent.about.items()))}"
        for agent in file.agents
        if agent.about
    )
    return "; ".join(told)[:2000]


def _slug(agent: str) -> str:
    slug = _NO_ID.sub("_", agent.replace("*", "any"))[:80]
    return slug if slug[:1].isalnum() else f"agent{slug}"


def _listed(nodes: list[Node]) -> Node:
    return Node(list(nodes), nodes[0].line if nodes else 1, 1)


def _node(value: object, place: Place = (1, 1)) -> Node:
    """A plain value as a tree, all of it at one place."""
    if isinstance(value, dict):
        return Node({key: _node(each, place) for key, each in value.items()}, *place, dict.fromkeys(value, place))
    if isinstance(value, list):
        return Node([_node(each, place) for each in value], *place)
    assert value is None or isinstance(value, str | int | float | bool)
    return Node(value, *place)
