"""api/openapi.json is what the server describes today."""

import difflib
import subprocess
import sys

from tools.sources import ROOT, report

SNAPSHOT = ROOT / "api/openapi.json"


def difference(committed: str, current: str) -> list[str]:
    lines = difflib.unified_diff(
        committed.splitlines(), current.splitlines(), "api/openapi.json", "the server now", lineterm=""
    )
    return list(lines)


def main() -> int:
    command = [sys.executable, "-m", "mutx.server.openapi"]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        return report([f"mutx.server.openapi failed:\n{run.stderr.strip()}"], "")
    diff = difference(SNAPSHOT.read_text("utf-8") if SNAPSHOT.exists() else "", run.stdout)
    problems = [*diff, "if this change is meant: make openapi"] if diff else []
    return report(problems, "api/openapi.json is what the server describes")


if __name__ == "__main__":
    sys.exit(main())
