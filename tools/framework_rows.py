"""Every adapter, and the OpenClaw plugin, has a row in docs/frameworks.json, made by a run with what is here now.

    python -m tools.framework_rows [--write]

The rows and the table are made from the runs' reports in docs/frameworks; `--write` makes them anew.
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mutx_agent.hooks import ADAPTERS
from tools.sources import ROOT, report

ROWS = ROOT / "docs" / "frameworks.json"
REPORTS = ROOT / "docs" / "frameworks"
PAGE = ROOT / "docs" / "frameworks.md"
BEGIN, END = "<!-- made from frameworks.json: begin -->", "<!-- made from frameworks.json: end -->"
PACKAGE = "mutx_agent.adapters"
SOURCES = ROOT / "agent" / "src" / "mutx_agent" / "adapters"
OPENCLAW = "openclaw"
"""A program of its own in another language: its adapter is a plugin, proved by tools/openclaw.py."""
PLUGIN = ROOT / "agent" / OPENCLAW
PLUGINS = frozenset({OPENCLAW})

Row = dict[str, Any]


def adapter_digest(name: str) -> str:
    """Over the adapter's file, what it keeps in `_NAME_*.py` beside it and the helpers that adapters share, as far as it
    imports them; over the plugin's programs and settings.
    """
    if name == OPENCLAW:
        files = sorted(path for path in PLUGIN.iterdir() if path.suffix in {".js", ".json"})
    else:
        files = sorted(_imported(SOURCES / f"{name}.py", {*SOURCES.glob(f"_{name}_*.py")}))
    digest = hashlib.sha256()
    for file in files:
        text = file.read_bytes()
        digest.update(f"{file.name} {len(text)}\n".encode() + text)
    return digest.hexdigest()


def _imported(first: Path, more: set[Path]) -> set[Path]:
    """`first`, `more`, and the files of this folder that any of these import, directly or not."""
    found, waiting = set[Path](), {first, *more}
    while waiting:
        file = waiting.pop()
        found.add(file)
        imports = (node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.ImportFrom))
        names = {name for node in imports for name in _modules(node)}
        waiting |= {path for name in names if (path := SOURCES / f"{name}.py").exists()} - found
    return found


def _modules(node: ast.ImportFrom) -> list[str]:
    """Names that may be modules of the adapters' package."""
    module = node.module or ""
    if module == PACKAGE:
        return [each.name for each in node.names]
    return [module.removeprefix(f"{PACKAGE}.")] if module.startswith(f"{PACKAGE}.") else []


def lock_of(name: str) -> Path:
    """What pins the framework: a lock of its own, or the development environment's."""
    if name == OPENCLAW:
        return ROOT / "requirements" / "frameworks" / name / "package-lock.json"
    own = ROOT / "requirements" / "frameworks" / f"{name}.lock"
    return own if own.exists() else ROOT / "requirements" / "dev.lock"


def pinned(name: str, distribution: str) -> str | None:
    if name == OPENCLAW:
        version: str = json.loads(lock_of(name).read_text("utf-8"))["packages"][f"node_modules/{name}"]["version"]
        return version
    found = re.search(rf"^{re.escape(distribution)}==([^\s;]+)", lock_of(name).read_text("utf-8"), re.MULTILINE)
    return found[1] if found else None


def row(text: str) -> Row:
    """A row out of the report of a run."""
    made = json.loads(text)
    distribution, version = next(iter(made["versions"].items()))
    paths = {
        way: dict.fromkeys(made["passed"].get(way, {}), "proved")
        | {path: f"absent: {why}" for path, why in made["absent"].get(way, {}).items()}
        for way in ("hook", "install")
    }
    return {
        "name": made["name"],
        "distribution": distribution,
        "version": version,
        "hook": made["hook"],
        "patch": made["patch"],
        "out_of_reach": made["out_of_reach"],
        "paths": paths,
        "cases": sum(len(decisions) for way in made["passed"].values() for decisions in way.values()),
        "proved": not made["failed"],
        "date": made["date"],
        "adapter_sha256": made["adapter_sha256"],
        "report_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def read_rows() -> dict[str, Row]:
    """Every row, from the reports that are kept."""
    made = [row(file.read_text("utf-8")) for file in sorted(REPORTS.glob("*.json"))]
    return {found["name"]: found for found in made}


def rows_text() -> str:
    return json.dumps(list(read_rows().values()), indent=1) + "\n"


def page() -> str:
    """The page for people: written by hand around a table made from the rows."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{table(read_rows())}\n{END}{rest.partition(END)[2]}"


def table(rows: dict[str, Row]) -> str:
    lines = [
        "| adapter | version proved | official hook | `install` stands in | cases | on |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in sorted(rows.items()):
        hook = found["hook"] or "none before a tool runs"
        what = f"{found['distribution']} {found['version']}"
        lines.append(f"| {name} | {what} | {hook} | {found['patch']} | {found['cases']} | {found['date']} |")
    lines += ["", "What a framework does not have, or no hook in the process can decide:", ""]
    for name, found in sorted(rows.items()):
        gaps = _gaps(found)
        lines.append(f"- {name}: {'; '.join(gaps) if gaps else 'nothing; every path is proved, both ways in'}.")
    return "\n".join(lines)


def _gaps(found: Row) -> list[str]:
    """Reasons first, with the paths they hold for; a reason that holds both ways in is said once."""
    where: dict[str, list[str]] = {}
    for way, paths in found["paths"].items():
        for path, state in paths.items():
            if state != "proved":
                where.setdefault(state.removeprefix("absent: "), []).append(f"{path} ({way})")
    total = len(found["paths"]["hook"])
    gaps = [
        f"no official hook: {why}" if len(places) == total and not found["hook"] else f"{', '.join(places)}: {why}"
        for why, places in where.items()
    ]
    return gaps + ([f"out of reach: {found['out_of_reach']}"] if found["out_of_reach"] else [])


def check() -> Iterator[str]:
    rows, again = read_rows(), "run `FRAMEWORKS={} make test-frameworks`"
    known = PLUGINS | ADAPTERS.keys()
    for name in sorted(known - rows.keys()):
        yield f"docs/frameworks.json: no row for the adapter {name}: {again.format(name)}"
    for name in sorted(rows.keys() - known):
        yield f"docs/frameworks.json: a row for {name}, which is no adapter in mutx_agent.hooks"
    for name in sorted(rows.keys() & known):
        found = rows[name]
        if found["adapter_sha256"] != adapter_digest(name):
            yield f"docs/frameworks.json: the adapter {name} has changed since its run: {again.format(name)}"
        if not found["proved"]:
            yield f"docs/frameworks/{name}.json reports failures: {again.format(name)}"
        if pinned(name, found["distribution"]) != found["version"]:
            yield f"docs/frameworks.json: {name} was proved with a version that is not locked: {again.format(name)}"
    for file, text in ((ROWS, rows_text()), (PAGE, page())):
        if not file.exists() or file.read_text("utf-8") != text:
            yield f"docs/{file.name} is not made from the reports: run `python -m tools.framework_rows --write`"


def write() -> None:
    ROWS.write_text(rows_text(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def main() -> int:
    if sys.argv[1:] == ["--write"]:
        write()
    return report(list(check()), f"{len(ADAPTERS)} adapters are proved as they are")


if __name__ == "__main__":
    sys.exit(main())
