"""What the checks share: where the sources are and how they are read."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("src/mutx", "agent/src/mutx_agent")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file of the product."""

    path: str  # relative to the repository, with forward slashes
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def scopes(self) -> Iterator[tuple[ast.AST, str]]:
        """Every node with the dotted name of the function or class around it ('' at module level)."""
        yield from _scopes(self.tree, "")


def _scopes(node: ast.AST, scope: str) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        yield child, scope
        inner = f"{scope}.{child.name}".lstrip(".") if isinstance(child, Function | ast.ClassDef) else scope
        yield from _scopes(child, inner)


def read_sources(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> list[Source]:
    files = [file for package in packages for file in sorted((root / package).rglob("*.py"))]
    return [Source(file.relative_to(root).as_posix(), file.read_text("utf-8")) for file in files]


def report(problems: list[str], summary: str) -> int:
    """Print the problems, or the one line that says all is well; return the exit status."""
    print("\n".join(problems) if problems else summary)
    return 1 if problems else 0
