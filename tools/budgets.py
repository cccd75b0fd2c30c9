"""Sizes, broad excepts and function-level imports, held to tools/budgets.toml."""

import ast
import math
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any

from tools.sources import ROOT, Function, Source, read_sources, report

BROAD = {"Exception", "BaseException"}


class Exceptions:
    """One table of budgets.toml: which places are excused, and which entries were ever used."""

    def __init__(self, table: str, reasons: dict[str, str]) -> None:
        self.table, self.reasons = table, reasons
        self.used: set[str] = set()

    def allow(self, place: str) -> bool:
        matches = {pattern for pattern in self.reasons if fnmatchcase(place, pattern)}
        self.used |= matches
        return bool(matches)

    def problems(self) -> Iterator[str]:
        for pattern, reason in self.reasons.items():
            if not reason.strip():
                yield f"budgets.toml [{self.table}] {pattern}: give a reason"
            if pattern not in self.used and "*" not in pattern:
                yield f"budgets.toml [{self.table}] {pattern}: no longer applies, remove it"


def p90(sizes: list[int]) -> int:
    """The nearest-rank 90th percentile."""
    return sorted(sizes)[math.ceil(0.9 * len(sizes)) - 1] if sizes else 0


def functions(source: Source) -> Iterator[tuple[str, int, int]]:
    """Place, line and length of every function, nested ones and methods included."""
    for node, scope in source.scopes():
        if isinstance(node, Function):
            name = f"{scope}.{node.name}".lstrip(".")
            yield f"{source.path}::{name}", node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind).rpartition(".")[2] in BROAD for kind in kinds)


def broad_excepts(source: Source) -> Iterator[tuple[str, int]]:
    for node, scope in source.scopes():
        if isinstance(node, ast.ExceptHandler) and is_broad(node):
            yield f"{source.path}::{scope}", node.lineno


def function_imports(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield from (inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom))


def over(what: str, actual: float, limit: int) -> Iterator[str]:
    if actual > limit:
        yield f"{what} is {actual:g} lines, the limit is {limit}"


def check_files(sources: list[Source], limits: dict[str, int], excused: Exceptions) -> Iterator[str]:
    sizes = [source.lines for source in sources if source.lines]
    yield from over("the median file", median(sizes or [0]), limits["file_median"])
    yield from over("the 90th percentile file", p90(sizes), limits["file_p90"])
    for source in sources:
        if source.lines > limits["file_max"] and not excused.allow(source.path):
            yield from over(source.path, source.lines, limits["file_max"])


def check_functions(sources: list[Source], limits: dict[str, int], excused: Exceptions) -> Iterator[str]:
    found = [function for source in sources for function in functions(source)]
    yield from over("the 90th percentile function", p90([size for _, _, size in found]), limits["function_p90"])
    for place, line, size in found:
        if size > limits["function_max"] and not excused.allow(place):
            yield from over(f"{place} (line {line})", size, limits["function_max"])


def check_broad_excepts(sources: list[Source], maxima: dict[str, int], excused: Exceptions) -> Iterator[str]:
    found = [handler for source in sources for handler in broad_excepts(source)]
    seen: set[str] = set()
    for place, line in found:
        if place in seen or not excused.allow(place):
            again = "a second " if place in seen else ""
            yield f"{place} (line {line}): {again}broad except, not listed in budgets.toml [broad_excepts]"
        seen.add(place)
    for folder, limit in maxima.items():
        count = sum(place.startswith(f"{folder}/") for place, _ in found)
        if count > limit:
            yield f"{folder}: {count} broad excepts, the limit is {limit}"


def check_imports(sources: list[Source], excused: Exceptions) -> Iterator[str]:
    for source in sources:
        lines = sorted(set(function_imports(source)))
        if lines and not excused.allow(source.path):
            where = ", ".join(map(str, lines))
            yield f"{source.path} (line {where}): import inside a function, not listed in budgets.toml [lazy_imports]"


def check(sources: list[Source], config: dict[str, Any]) -> list[str]:
    tables = {name: Exceptions(name, config[name]) for name in ("files", "functions", "broad_excepts", "lazy_imports")}
    return [
        *check_files(sources, config["limits"], tables["files"]),
        *check_functions(sources, config["limits"], tables["functions"]),
        *check_broad_excepts(sources, config["broad_except_max"], tables["broad_excepts"]),
        *check_imports(sources, tables["lazy_imports"]),
        *(problem for table in tables.values() for problem in table.problems()),
    ]


def summary(sources: list[Source]) -> str:
    sizes = [source.lines for source in sources if source.lines]
    lengths = [size for source in sources for _, _, size in functions(source)]
    return (
        f"{len(sizes)} files: median {median(sizes or [0]):g}, p90 {p90(sizes)}, max {max(sizes, default=0)} lines; "
        f"{len(lengths)} functions: p90 {p90(lengths)}, max {max(lengths, default=0)}"
    )


def main(config: Path = ROOT / "tools/budgets.toml") -> int:
    sources = read_sources()
    return report(check(sources, tomllib.loads(config.read_text("utf-8"))), summary(sources))


if __name__ == "__main__":
    sys.exit(main())
