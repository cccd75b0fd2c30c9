"""mutx_agent imports the standard library and itself; an adapter may import its framework, inside a function."""

import ast
import sys
from collections.abc import Iterator

from tools.sources import Source, read_sources, report

ADAPTERS = "agent/src/mutx_agent/adapters/"
ALLOWED = sys.stdlib_module_names | {"mutx_agent"}


def imported(node: ast.AST) -> list[str]:
    """The top-level packages that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


def lazy_statements(tree: ast.Module) -> set[ast.AST]:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {inner for function in functions for inner in ast.walk(function)}


def check_source(source: Source) -> Iterator[str]:
    lazy = lazy_statements(source.tree) if source.path.startswith(ADAPTERS) else set()
    for node in ast.walk(source.tree):
        for package in imported(node):
            if package not in ALLOWED and (node not in lazy or package == "mutx"):
                yield f"{source.path}:{node.lineno}: imports {package}"  # type: ignore[attr-defined]


def check(sources: list[Source]) -> list[str]:
    return [problem for source in sources for problem in check_source(source)]


def main() -> int:
    sources = read_sources(packages=("agent/src/mutx_agent",))
    return report(check(sources), f"{len(sources)} files of mutx_agent import only the standard library")


if __name__ == "__main__":
    sys.exit(main())
