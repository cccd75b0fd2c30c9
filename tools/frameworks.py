"""Prove the adapters, and the plugin for OpenClaw: docs/frameworks.json and docs/frameworks.md come from these runs.

    python -m tools.frameworks [NAME ...]

A framework with a lock in requirements/frameworks has an environment of its own below .venvs; the others are in the
development environment; `openclaw` is a package of npm and has one as well. A row is written only by a run in which every case passed; other rows stay as they are.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mutx_agent.hooks import ADAPTERS
from tools import openclaw
from tools.framework_rows import OPENCLAW, REPORTS, adapter_digest, lock_of, write
from tools.proving_plane import control_plane
from tools.sources import ROOT

UV = Path(sys.executable).parent / "uv"
LIMIT = 1800
"""Seconds for one framework's whole run."""


def environment(name: str) -> Path:
    """The interpreter that has the framework; made from the lock if it is missing or the lock is newer."""
    lock = lock_of(name)
    if lock.name == "dev.lock":
        return Path(sys.executable)
    folder = ROOT / ".venvs" / name
    python, stamp = folder / "bin" / "python", folder / ".ready"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        command: list[str | Path] = [
            UV,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--python",
            python,
            "-r",
            lock,
        ]
        subprocess.run(command, check=True)
        stamp.touch()
    return python


def run(name: str, variables: dict[str, str]) -> bool:
    """One framework; its report is renewed if all cases passed."""
    adapter = adapter_digest(name)
    try:
        made = openclaw.prove(variables) if name == OPENCLAW else suite(name, variables)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"{name}: not proved; its row stays as it was: {error}", file=sys.stderr)
        return False
    REPORTS.mkdir(exist_ok=True)
    text = json.dumps({**made, "adapter_sha256": adapter}, indent=1) + "\n"
    (REPORTS / f"{name}.json").write_text(text, encoding="utf-8")
    return True


def suite(name: str, variables: dict[str, str]) -> dict[str, Any]:
    """The report of a run in which every case passed. Raises CalledProcessError."""
    return answer_of(name, [ROOT / "tests" / "frameworks" / "run.py"], variables)


def answer_of(name: str, program: list[str | Path], variables: dict[str, str], *paths: Path) -> dict[str, Any]:
    """What a program, run with NAME and FILE in the framework's environment, writes there as JSON. Raises CalledProcessError."""
    python = environment(name)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MUTX_")}
    quiet = {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "AGNO_TELEMETRY": "false"}
    found = os.pathsep.join(map(str, [ROOT / "agent" / "src", *paths]))
    settings = {"PYTHONPATH": found, "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"}
    with tempfile.TemporaryDirectory(prefix="mutx-frameworks-") as home:
        target = Path(home) / "report.json"
        env = {**kept, **quiet, **settings, **variables, "MUTX_HOME": home, "HOME": home}
        subprocess.run([python, *program, name, target], check=True, cwd=home, env=env, timeout=LIMIT)
        made: dict[str, Any] = json.loads(target.read_text("utf-8"))
    return made


def main() -> int:
    names = sys.argv[1:] or os.environ.get("FRAMEWORKS", "").split() or [*ADAPTERS, OPENCLAW]
    unknown = sorted(set(names) - {*ADAPTERS, OPENCLAW})
    if unknown:
        print(f"no adapter is called {', '.join(unknown)}: {', '.join([*ADAPTERS, OPENCLAW])}", file=sys.stderr)
        return 2
    with control_plane() as variables:
        missed = [name for name in names if not run(name, variables)]
    write()
    print(f"not proved: {', '.join(missed)}" if missed else f"proved: {', '.join(names)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
