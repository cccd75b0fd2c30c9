"""What is wrong with a plain value, and where in it. Lines and columns are looked up when there is something to say."""

from collections.abc import Mapping, Sequence
from typing import Any

from mutx.governance.policy.nodes import Node, PolicyProblem

Lines = int | Sequence["Lines"] | Mapping[str, "Lines"] | None
"""A value's line, or the lines of its entries by place or by name."""


class Fault:
    """A fault at `steps`, innermost first; `on_key`: the name itself is wrong, not its value."""

    __slots__ = ("code", "message", "on_key", "steps")

    def __init__(self, code: str, message: str, *, on_key: bool = False) -> None:
        self.code, self.message, self.on_key = code, message, on_key
        self.steps: list[str | int] = []

    def located(self, root: Node) -> PolicyProblem:
        """With line and column, from the tree of the same document."""
        node, place = root, (root.line, root.column)
        for step in reversed(self.steps):
            place = node.keys.get(str(step), place)
            node = _entry(node, step)
        if not self.on_key:
            place = (node.line, node.column)
        return PolicyProblem(line=place[0], column=place[1], code=self.code, message=self._owner(root) + self.message)

    def _owner(self, root: Node) -> str:
        """The rule it stands in, by its id."""
        if len(self.steps) < 3 or self.steps[-1] != "rules":
            return ""
        rule = _entry(_entry(root, "rules"), self.steps[-2])
        name = _entry(rule, "id").value if isinstance(rule.value, dict) and "id" in rule.value else None
        return f"rule {name[:128]}: " if isinstance(name, str) else ""


def _entry(node: Node, step: str | int) -> Node:
    entries: Any = node.value
    found: Node = entries[step]
    return found


Faults = list[Fault]


def within(faults: Faults, since: int, step: str | int) -> None:
    """The faults from number `since` on were found in this entry of a container."""
    for fault in faults[since:]:
        fault.steps.append(step)
