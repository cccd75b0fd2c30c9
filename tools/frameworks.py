"""Prove the adapters: the suite in each framework's own environment, then docs/frameworks.json and docs/frameworks.md.

    python -m tools.frameworks [NAME ...]

A framework with a lock in requirements/frameworks has an environment of its own below .venvs; the others are in the
development environment. A row is written only by a run in which every case passed; other rows stay as they are.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.agents import AgentRegister
from mutx.contract.auth import LocalBootstrap
from mutx.sdk import MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair
from mutx_agent.hooks import ADAPTERS
from tools.framework_rows import REPORTS, adapter_digest, lock_of, write
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


@contextmanager
def control_plane() -> Iterator[dict[str, str]]:
    """A real `mutx up`, and the variables by which the suite finds it, its operator and an agent's key."""
    with tempfile.TemporaryDirectory(prefix="mutx-frameworks-") as folder:
        plane = LocalControlPlane(Path(folder) / "home")
        plane.home.mkdir(mode=0o700)
        limits = "RATE_LIMIT_REQUESTS=1000000\nAUTH_RATE_LIMIT_REQUESTS=1000000\nLOG_LEVEL=WARNING\n"
        (plane.home / ".env").write_text(limits)
        plane.start()
        try:
            with MutxClient(plane.url) as stranger:
                made = stranger.auth.local_bootstrap(LocalBootstrap())
            with MutxClient(
                plane.url, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token))
            ) as operator:
                agent = operator.agents.register(AgentRegister(name="suite"))
            yield {
                "SUITE_URL": plane.url,
                "SUITE_OPERATOR_TOKEN": made.access_token,
                "SUITE_AGENT_ID": agent.agent_id,
                "SUITE_AGENT_KEY": agent.api_key,
            }
        finally:
            plane.stop()


def run(name: str, variables: dict[str, str]) -> bool:
    """One framework; its row is renewed if all cases passed."""
    python, adapter = environment(name), adapter_digest(name)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MUTX_")}
    quiet = {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "AGNO_TELEMETRY": "false"}
    paths = {"PYTHONPATH": str(ROOT / "agent" / "src"), "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"}
    with tempfile.TemporaryDirectory(prefix="mutx-frameworks-") as home:
        target = Path(home) / "report.json"
        command: list[str | Path] = [python, ROOT / "tests" / "frameworks" / "run.py", name, target]
        env = {**kept, **quiet, **paths, **variables, "MUTX_HOME": home, "HOME": home}
        done = subprocess.run(command, check=False, cwd=home, env=env, timeout=LIMIT)
        if done.returncode != 0:
            print(f"{name}: not proved (exit status {done.returncode}); its row stays as it was", file=sys.stderr)
            return False
        REPORTS.mkdir(exist_ok=True)
        made = {**json.loads(target.read_text("utf-8")), "adapter_sha256": adapter}
    (REPORTS / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return True


def main() -> int:
    names = sys.argv[1:] or os.environ.get("FRAMEWORKS", "").split() or list(ADAPTERS)
    unknown = sorted(set(names) - set(ADAPTERS))
    if unknown:
        print(f"no adapter is called {', '.join(unknown)}: {', '.join(ADAPTERS)}", file=sys.stderr)
        return 2
    with control_plane() as variables:
        missed = [name for name in names if not run(name, variables)]
    write()
    print(f"not proved: {', '.join(missed)}" if missed else f"proved: {', '.join(names)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
