"""`make bench`: run every benchmark, write benchmarks/results.json and the table of docs/benchmarks.md.

python -m benchmarks [NAME ...]     only the modules named; results of the others stay as they were
"""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.harness import FULL, Result

MODULES = (
    "policy",
    "decision",
    "receipts",
    "ledger",
    "postgres",
    "startup",
    "run",
    "doors",
    "identity",
    "mcp",
    "frameworks",
    "flow",
    "history",
    "guardrail",
)
HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results -->", "<!-- end -->"


def main(wanted: list[str]) -> int:
    results: dict[str, dict[str, object]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    missed = []
    for name in wanted or MODULES:
        for result in importlib.import_module(f"benchmarks.{name}").run(FULL):
            _show(result)
            results[result.name] = _entry(result)
            if not result.passed:
                missed.append(result.name)
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
    _write_table(results)
    if missed:
        print(f"gates missed: {', '.join(missed)}")
    return 1 if missed else 0


def _entry(result: Result) -> dict[str, object]:
    return {
        "value": round(result.value, 4),
        "unit": result.unit,
        "baseline": result.baseline,
        "gate": f"{'>=' if result.at_least else '<='} {result.gate:g}",
        "passed": result.passed,
        "runs": [round(run, 4) for run in result.runs],
    }


def _show(result: Result) -> None:
    sign = ">=" if result.at_least else "<="
    mark = "ok  " if result.passed else "MISS"
    print(f"{mark} {result.name:<44} {result.value:9.3f} {result.unit:<3} ({sign} {result.gate:g}) {result.baseline}")


def _write_table(results: dict[str, dict[str, object]]) -> None:
    head, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = ["", "| figure | value | gate | against |", "| --- | --- | --- | --- |"]
    for name, entry in sorted(results.items()):
        mark = "" if entry["passed"] else " (missed)"
        lines.append(
            f"| `{name}` | {entry['value']:.3g} {entry['unit']}{mark} | {entry['gate']} | {entry['baseline']} |"
        )
    PAGE.write_text(f"{head}{BEGIN}" + "\n".join(lines) + f"\n{END}{tail}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
