"""tools/coverage_gate.py: packages are held to their thresholds, and no run hangs for good."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tools.coverage_gate import REPORT, Covered, bounded, judge, main, measured_here, package_of

WANTED = '[coverage]\n"mutx/kit" = 100\nothers = 95\n'


def summary(lines: int, all_lines: int, branches: int, all_branches: int) -> dict[str, Any]:
    counts = {"covered_lines": lines, "num_statements": all_lines}
    return {"summary": {**counts, "covered_branches": branches, "num_branches": all_branches}}


def judged(folder: Path, files: dict[str, dict[str, Any]]) -> int:
    report, budgets = folder / "coverage.json", folder / "budgets.toml"
    report.write_text(json.dumps({"files": files}))
    budgets.write_text(WANTED)
    return judge(report, budgets)


WHOLE = {"src/mutx/kit/ids.py": summary(9, 9, 2, 2), "src/mutx/kit/clock.py": summary(3, 3, 0, 0)}


def test_whole_packages_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(tmp_path, WHOLE | {"agent/src/mutx_agent/wrap.py": summary(95, 100, 19, 20)}) == 0
    shown = capsys.readouterr().out
    assert "mutx/kit            100.00    100.00     100" in shown
    assert "agent/src/mutx_agent/wrap.py: 6 lines and branches" in shown


@pytest.mark.parametrize(("path", "one", "said"), [
    ("src/mutx/kit/errors.py", summary(99, 100, 4, 4), "mutx/kit: 99.11 % of lines and 100.00 % of branches, wanted are 100 %"),
    ("src/mutx/kit/errors.py", summary(99, 99, 3, 4), "mutx/kit: 100.00 % of lines and 83.33 % of branches"),
    ("src/mutx/cli/main.py", summary(99, 100, 9, 10), "mutx/cli: 99.00 % of lines and 90.00 % of branches, wanted are 95 %"),
])  # fmt: skip
def test_a_missing_branch_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, one: dict[str, Any], said: str
) -> None:
    assert judged(tmp_path, WHOLE | {path: one}) == 1
    assert said in capsys.readouterr().out


def test_a_threshold_without_its_package_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(tmp_path, {"src/mutx/cli/main.py": summary(1, 1, 0, 0)}) == 1
    assert "mutx/kit: nothing was measured" in capsys.readouterr().out


def test_packages_are_the_folders_of_the_product() -> None:
    assert [package_of(path) for path in ("src/mutx/kit/ids.py", "src/mutx/__main__.py", "agent/src/mutx_agent/a/b.py")] == [
        "mutx/kit", "mutx", "mutx_agent",
    ]  # fmt: skip


def test_a_finished_run_gives_its_status() -> None:
    assert bounded([sys.executable, "-c", "raise SystemExit(3)"], 60) == 3


HUNG = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    open(sys.argv[1], "w").write(f"{os.getpid()} {child}")
while True: pass
"""


def test_a_hung_run_is_killed_with_all_its_children(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "processes"
    assert bounded([sys.executable, "-c", HUNG, str(note)], 5) == 124
    assert "killed" in capfd.readouterr().err
    for number in map(int, note.read_text().split()):
        for _ in range(100):
            if not _runs(number):
                break
            time.sleep(0.05)
        assert not _runs(number)


def _runs(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.exists(f"/proc/{number}")


def test_it_measures_or_judges_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.coverage_gate.SUITE", ["-c", "raise SystemExit(5)"])
    monkeypatch.setattr("tools.coverage_gate.ROOT", tmp_path)
    (tmp_path / ".coverage.old").touch()
    assert main([]) == 5
    assert list(tmp_path.iterdir()) == []
    assert REPORT.name == "coverage.json"


def test_after_a_failed_test_the_numbers_are_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    budgets = tmp_path / "tools" / "budgets.toml"
    budgets.parent.mkdir()
    budgets.write_text("[coverage]\nothers = 95\n")
    (tmp_path / "suite.py").write_text("import sys\nsys.exit(int(sys.argv[1]))\n")
    monkeypatch.setattr("tools.coverage_gate.ROOT", tmp_path)
    monkeypatch.setattr("tools.coverage_gate.REPORT", tmp_path / "build" / "coverage.json")
    for status in (0, 1):
        monkeypatch.setattr("tools.coverage_gate.SUITE", ["-m", "coverage", "run", "--branch", "suite.py", str(status)])
        assert main([]) == status
        assert "100.00" in capsys.readouterr().out


def test_adapters_of_frameworks_that_are_elsewhere_are_judged_by_their_own_runs(tmp_path: Path) -> None:
    (tmp_path / "requirements" / "frameworks").mkdir(parents=True)
    (tmp_path / "requirements" / "frameworks" / "far.lock").write_text("far==1\n")
    files = {
        f"agent/src/mutx_agent/adapters/{name}.py": Covered(1, 2) for name in ("far", "near", "_far_probe", "_farther")
    }
    files["agent/src/mutx_agent/far.py"] = Covered(1, 2)
    assert [path.rpartition("src/mutx_agent/")[2] for path in measured_here(files, tmp_path)] == [
        "adapters/near.py",
        "adapters/_farther.py",
        "far.py",
    ]
