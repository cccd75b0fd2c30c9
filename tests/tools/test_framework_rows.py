"""What the check of the frameworks' rows refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from mutx_agent import hooks
from tools import framework_rows
from tools.framework_rows import BEGIN, END, adapter_digest, check, write

ADAPTER = hooks.Adapter("one-framework", "mutx_agent.adapters.one", "one")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one adapter, proved, both ways in and on two paths."""
    for folder in ("docs/frameworks", "adapters", "requirements/frameworks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "adapters" / "one.py").write_text("from mutx_agent.adapters._shared import gate")
    (tmp_path / "adapters" / "_one_more.py").write_text("from mutx_agent.adapters import _probes")
    (tmp_path / "adapters" / "_shared.py").write_text("from mutx_agent.adapters._deep import ends")
    for name in ("_deep", "_probes", "_others"):
        (tmp_path / "adapters" / f"{name}.py").write_text("import os")
    (tmp_path / "requirements" / "frameworks" / "one.lock").write_text("one-framework==1.2.3 \\\n    --hash=x\n")
    (tmp_path / "docs" / "frameworks.md").write_text(f"by hand\n{BEGIN}\n{END}\nalso by hand\n")
    monkeypatch.setattr(framework_rows, "ROOT", tmp_path)
    monkeypatch.setattr(framework_rows, "SOURCES", tmp_path / "adapters")
    monkeypatch.setattr(framework_rows, "ROWS", tmp_path / "docs" / "frameworks.json")
    monkeypatch.setattr(framework_rows, "PAGE", tmp_path / "docs" / "frameworks.md")
    monkeypatch.setattr(framework_rows, "REPORTS", tmp_path / "docs" / "frameworks")
    monkeypatch.setattr(framework_rows, "ADAPTERS", {"one": ADAPTER})
    monkeypatch.setattr(framework_rows, "PLUGINS", frozenset())
    keep(tmp_path)
    write()
    return tmp_path


def keep(root: Path, **changed: Any) -> None:
    """The report of a run."""
    report = {
        "name": "one",
        "versions": {"one-framework": "1.2.3", "its-core": "9"},
        "date": "2026-01-02",
        "hook": "on_tool",
        "patch": "One.run",
        "out_of_reach": "what others run",
        "passed": {"hook": {"sync": ["allow", "deny"]}, "install": {"sync": ["allow"], "nested": ["deny"]}},
        "absent": {"hook": {"nested": "it sees no nested calls"}, "install": {}, "both": {}},
        "failed": {},
        "adapter_sha256": adapter_digest("one"),
    }
    (root / "docs" / "frameworks" / "one.json").write_text(json.dumps({**report, **changed}))


def test_a_proved_adapter_has_its_row_and_its_line(root: Path) -> None:
    assert list(check()) == []
    (row,) = json.loads((root / "docs" / "frameworks.json").read_text())
    assert row["paths"] == {
        "hook": {"sync": "proved", "nested": "absent: it sees no nested calls"},
        "install": {"sync": "proved", "nested": "proved"},
    }
    assert (row["version"], row["cases"], row["proved"]) == ("1.2.3", 4, True)
    page = (root / "docs" / "frameworks.md").read_text()
    assert page.startswith("by hand\n")
    assert page.endswith("\nalso by hand\n")
    assert "| one | one-framework 1.2.3 | on_tool | One.run | 4 | 2026-01-02 |" in page
    assert "- one: nested (hook): it sees no nested calls; out of reach: what others run." in page


def test_a_framework_without_a_hook_says_so_once(root: Path) -> None:
    why = "the framework has no hook before a tool runs"
    absent = {"hook": {"sync": why, "nested": why}, "install": {}, "both": {}}
    keep(root, hook="", out_of_reach="", passed={"install": {"sync": ["allow"]}}, absent=absent)
    write()
    assert f"- one: no official hook: {why}." in (root / "docs" / "frameworks.md").read_text()


@pytest.mark.parametrize("file", ["one.py", "_one_more.py", "_shared.py", "_deep.py", "_probes.py"])
def test_an_adapter_or_a_helper_of_it_that_has_changed_since_its_run(root: Path, file: str) -> None:
    path = root / "adapters" / file
    path.write_text(f"{path.read_text()}\nanother = 1")
    (problem,) = check()
    assert "has changed since its run: run `FRAMEWORKS=one make test-frameworks`" in problem


def test_what_an_adapter_does_not_import_is_not_part_of_it(root: Path) -> None:
    (root / "adapters" / "_others.py").write_text("another = 1")
    assert list(check()) == []


def test_a_run_that_failed_or_whose_row_was_edited(root: Path) -> None:
    keep(root, failed={"hook-sync-deny": "it ran"})
    first, second = check()
    assert "reports failures" in first
    assert "not made from the reports" in second
    keep(root)
    (root / "docs" / "frameworks.json").write_text("[]\n")
    assert ["not made from the reports" in problem for problem in check()] == [True]


def test_an_adapter_without_a_row_and_a_row_without_an_adapter(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framework_rows, "ADAPTERS", {"two": ADAPTER})
    missing, stray = check()
    assert "no row for the adapter two" in missing
    assert "a row for one, which is no adapter" in stray


def test_another_version_is_locked(root: Path) -> None:
    (root / "requirements" / "frameworks" / "one.lock").write_text("one-framework==1.3.0\n")
    assert ["not locked" in problem for problem in check()] == [True]
