"""Run every check, also after one fails: a line for each that passes, all output of each that does not."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools.sources import ROOT

BIN = Path(sys.executable).parent
PYTHON = sys.executable

CHECKS: dict[str, list[str]] = {
    "ruff check": [f"{BIN}/ruff", "check"],
    "ruff format": [f"{BIN}/ruff", "format", "--check"],
    "mypy": [f"{BIN}/mypy"],
    "mypy agent 3.10": [f"{BIN}/mypy", "--python-version", "3.10", "agent/src"],
    "imports": [f"{BIN}/lint-imports", "--no-logo"],
    "agent imports": [PYTHON, "-m", "tools.agent_stdlib"],
    "budgets": [PYTHON, "-m", "tools.budgets"],
    "class names": [PYTHON, "-m", "tools.class_names"],
    "names": [PYTHON, "-m", "tools.names"],
    "openapi": [PYTHON, "-m", "tools.openapi"],
    "locks": [PYTHON, "-m", "tools.locks"],
    "frameworks": [PYTHON, "-m", "tools.framework_rows"],
}


class Result(NamedTuple):
    name: str
    passed: bool
    output: str
    seconds: float


def run(name: str) -> Result:
    started = time.perf_counter()
    environment = os.environ | {"COLUMNS": "160"}  # or import-linter breaks its lines at 80
    done = subprocess.run(
        CHECKS[name],
        check=False,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Result(name, done.returncode == 0, done.stdout.strip(), time.perf_counter() - started)


def show(result: Result) -> None:
    last = (result.output.splitlines() or ["nothing to say"])[-1]
    mark, text = ("ok  ", last) if result.passed else ("FAIL", "")
    print(f"{mark} {result.name:<16} {result.seconds:5.1f} s  {text}".rstrip(), flush=True)
    if not result.passed:
        print("\n".join(f"     {line}" for line in result.output.splitlines()), flush=True)


def main() -> int:
    failed: list[str] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for result in pool.map(run, CHECKS):
            show(result)
            if not result.passed:
                failed.append(result.name)
    print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
