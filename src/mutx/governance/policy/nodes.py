"""A document as plain values that know where they stand."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from mutx.kit.errors import PolicyInvalid

MAX_BYTES = 5_000_000
MAX_DEPTH = 32
MAX_NODES = 2_000_000
MAX_PROBLEMS = 100
"""More than this many are counted, not listed."""

Scalar = str | int | float | bool | None


class PolicyProblem(Struct, frozen=True, kw_only=True):
    """What is wrong, and where. Lines and columns count from 1."""

    line: int
    column: int = 1
    code: str
    message: str

    def plain(self) -> dict[str, Any]:
        return {"line": self.line, "column": self.column, "code": self.code, "message": self.message}


class Node:
    """A value of the document: a scalar, a list of nodes, or a dict of nodes with the places of its keys."""

    __slots__ = ("column", "keys", "line", "value")

    def __init__(
        self,
        value: "Scalar | list[Node] | dict[str, Node]",
        line: int,
        column: int,
        keys: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        self.value, self.line, self.column = value, line, column
        self.keys = keys or {}

    def plain(self) -> Any:
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class Quick(Struct, frozen=True):
    """A document as plain values, and the lines of the entries of its lists and maps."""

    content: Any
    lines: Mapping[str, Any]


class NodeAllowance:
    """Counts what a reader makes, so that no document costs more than its size."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_NODES

    def spend(self, line: int, column: int, depth: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise refuse([PolicyProblem(line=line, column=column, code="too_large", message="too many values")])
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH}; no policy needs that"
            raise refuse([PolicyProblem(line=line, column=column, code="too_deep", message=message)])


def refuse(problems: Iterable[PolicyProblem], *, document: str = "") -> PolicyInvalid:
    """All problems of a document as one error."""
    ordered = sorted(set(problems), key=lambda p: (p.line, p.column, p.code, p.message))
    shown = list(_lines(ordered[:3]))
    more = f" (and {len(ordered) - 3} more)" if len(ordered) > 3 else ""
    name = f"policy {document}" if document else "the policy"
    details = {"problems": [problem.plain() for problem in ordered[:MAX_PROBLEMS]], "count": len(ordered)}
    return PolicyInvalid(f"{name} is not valid: {'; '.join(shown)}{more}", details=details)


def _lines(problems: Iterable[PolicyProblem]) -> Iterator[str]:
    for problem in problems:
        yield f"line {problem.line}: {problem.message}"
