"""Branch coverage by package, held to tools/budgets.toml: `python -m tools.coverage_gate` runs the suite and judges.

`python -m tools.coverage_gate FILE` judges a report of `coverage json` that is there already.
"""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tools.sources import ROOT

LONGEST = 7200.0
"""Seconds until a run counts as hung: about half an hour on two idle cores, and several times that on busy ones."""
TESTS_FAILED = 1
"""What pytest says when it ran to the end; what ran is told all the same."""
WORST = 10
REPORT = ROOT / "build" / "coverage.json"
# What measures speed says nothing under a tracer. The dump shows where a test that goes on for minutes stands.
SUITE = ["-m", "pytest", "-q", "-n", "auto", "-m", "not soak and not fuzz", "--ignore", "tests/benchmarks"]
SUITE += ["--cov", "--cov-report=", "-o", "faulthandler_timeout=300"]


class Covered(NamedTuple):
    """What ran of one file or package."""

    lines: int = 0
    all_lines: int = 0
    branches: int = 0
    all_branches: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Covered":  # type: ignore[override]
        return Covered(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def percents(self) -> tuple[float, float]:
        """Of lines and of branches. What has none is whole."""
        return _percent(self.lines, self.all_lines), _percent(self.branches, self.all_branches)

    @property
    def missing(self) -> int:
        return self.all_lines - self.lines + self.all_branches - self.branches


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0


def package_of(path: str) -> str:
    """`src/mutx/kit/ids.py` -> `mutx/kit`; files of the package itself and of the agent's go by the package's name."""
    name = path.replace("\\", "/").rpartition("src/")[2]
    first, _, rest = name.partition("/")
    inner, slash, _ = rest.partition("/")
    return f"{first}/{inner}" if slash and first == "mutx" else first


def read(report: Mapping[str, Any]) -> dict[str, Covered]:
    """Path -> what ran of it, from the JSON of `coverage json`."""
    return {
        path: Covered(
            one["summary"]["covered_lines"],
            one["summary"]["num_statements"],
            one["summary"]["covered_branches"],
            one["summary"]["num_branches"],
        )
        for path, one in report["files"].items()
    }


def measured_here(files: Mapping[str, Covered], root: Path = ROOT) -> dict[str, Covered]:
    """Without the adapters of frameworks that this environment does not have: the matrix runs those (tools/frameworks.py)."""
    elsewhere = [lock.stem for lock in (root / "requirements" / "frameworks").glob("*.lock")]
    return {path: one for path, one in files.items() if not any(_adapts(path, name) for name in elsewhere)}


def _adapts(path: str, framework: str) -> bool:
    """Its adapter, and what only that adapter uses: `_<framework>_*.py`."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    return folder.endswith("mutx_agent/adapters") and (name == f"{framework}.py" or name.startswith(f"_{framework}_"))


def by_package(files: Mapping[str, Covered]) -> dict[str, Covered]:
    found: dict[str, Covered] = defaultdict(Covered)
    for path, covered in sorted(files.items()):
        found[package_of(path)] += covered
    return dict(found)


def problems(packages: Mapping[str, Covered], wanted: Mapping[str, float]) -> list[str]:
    """A line for each package below its threshold, and for each threshold of a package that nothing was measured of."""
    found = []
    for name, covered in packages.items():
        least = wanted.get(name, wanted["others"])
        if min(covered.percents) < least:
            lines, branches = covered.percents
            found.append(f"{name}: {lines:.2f} % of lines and {branches:.2f} % of branches, wanted are {least} %")
    unmeasured = wanted.keys() - packages.keys() - {"others"}
    return found + [f"{name}: nothing was measured" for name in sorted(unmeasured)]


def table(packages: Mapping[str, Covered], wanted: Mapping[str, float]) -> Iterable[str]:
    yield f"{'package':<18} {'lines':>7} {'branches':>9} {'wanted':>7}"
    for name, covered in packages.items():
        lines, branches = covered.percents
        yield f"{name:<18} {lines:>7.2f} {branches:>9.2f} {wanted.get(name, wanted['others']):>7g}"


def judge(report: Path, budgets: Path | None = None) -> int:
    """Print the table, the worst files and what falls short. The exit status."""
    files = measured_here(read(json.loads(report.read_bytes())))
    wanted = tomllib.loads((budgets or ROOT / "tools" / "budgets.toml").read_text())["coverage"]
    packages = by_package(files)
    print("\n".join(table(packages, wanted)))
    worst = sorted(files.items(), key=lambda one: one[1].missing, reverse=True)[:WORST]
    print(
        "most missing:",
        *(f"  {path}: {one.missing} lines and branches" for path, one in worst if one.missing),
        sep="\n",
    )
    found = problems(packages, wanted)
    print(*found, sep="\n")
    return 1 if found else 0


def bounded(words: Sequence[str], seconds: float) -> int:
    """Run to the end, or kill the whole process group. The exit status, 124 where time ran out.

    Asking a hung run to end is not enough: once Python handles SIGTERM, a process that loops in C never hears of it, and
    workers whose parent was ended go on with their test for good.
    """
    process = subprocess.Popen(words, cwd=ROOT, start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"still running after {seconds:g} s: killed", file=sys.stderr)
        return 124
    finally:
        _kill_group(process)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def measure() -> int:
    """Run the suite under coverage and judge it. Not 0 if a test failed, either."""
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    failed = bounded([sys.executable, *SUITE], LONGEST)
    if failed not in {0, TESTS_FAILED}:
        return failed
    REPORT.parent.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", str(REPORT)], check=True, cwd=ROOT)
    return judge(REPORT) or failed


def main(arguments: Sequence[str]) -> int:
    return judge(Path(arguments[0])) if arguments else measure()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
