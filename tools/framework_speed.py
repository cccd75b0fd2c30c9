"""Measure what each adapter adds to a tool call, in its framework's own environment: docs/frameworks-speed.json and a table.

    python -m tools.framework_speed [NAME ...]

Rows of frameworks that are not named stay as they are. Nothing is refused for being slow.
"""

import json
import os
import sys
from typing import Any

from mutx_agent.hooks import ADAPTERS
from mutx_agent.transport.http import HttpTransport
from tests.frameworks.plane import POLICY
from tools.framework_rows import PAGE
from tools.frameworks import answer_of
from tools.proving_plane import control_plane
from tools.sources import ROOT

RESULTS = ROOT / "docs" / "frameworks-speed.json"
BEGIN, END = "<!-- made from frameworks-speed.json: begin -->", "<!-- made from frameworks-speed.json: end -->"


def table(rows: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| adapter | version | bare call | adapter adds | with a decision adds | then a call takes |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items()):
        times = (row["bare_us"] + row["decided_us"]) / row["bare_us"]
        shown = " | ".join(_duration(row[field]) for field in ("bare_us", "added_us", "decided_us"))
        lines.append(
            f"| {name} | {row['version']} | {shown} | {f'{times:,.0f}' if times >= 10 else f'{times:.1f}'} x |"
        )
    return "\n".join(lines)


def _duration(microseconds: float) -> str:
    return f"{microseconds / 1000:.3g} ms" if abs(microseconds) >= 1000 else f"{microseconds:.3g} us"


def write(rows: dict[str, dict[str, Any]]) -> None:
    RESULTS.write_text(json.dumps([row for _, row in sorted(rows.items())], indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    page = f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.partition(END)[2]}"
    PAGE.write_text(page, encoding="utf-8")


def main() -> int:
    names = sys.argv[1:] or os.environ.get("FRAMEWORKS", "").split() or list(ADAPTERS)
    unknown = sorted(set(names) - set(ADAPTERS))
    if unknown:
        print(f"no adapter is called {', '.join(unknown)}: {', '.join(ADAPTERS)}", file=sys.stderr)
        return 2
    rows = {row["name"]: row for row in json.loads(RESULTS.read_text("utf-8"))} if RESULTS.exists() else {}
    with control_plane() as variables:
        operator = HttpTransport(variables["SUITE_URL"], api_key=variables["SUITE_OPERATOR_TOKEN"])
        operator.request("PUT", "/v1/policies/frameworks", {"name": "frameworks", "document": POLICY})
        operator.close()
        for name in names:
            rows[name] = answer_of(name, ["-m", "benchmarks.calls.run"], variables, ROOT)
            print(
                f"{name}: {', '.join(f'{key} {value}' for key, value in rows[name].items() if key != 'name')}",
                flush=True,
            )
    write(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
