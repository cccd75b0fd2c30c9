"""A tool call of every adapter's framework is measured, and what is measured is shown."""

import json
from pathlib import Path

import pytest

from benchmarks.calls import apart, here, run
from mutx_agent import Governor
from mutx_agent.hooks import ADAPTERS
from tools import framework_speed

ROW = {"name": "one", "version": "1.2", "bare_us": 2.0, "added_us": 40.0, "decided_us": 2500.0}


def test_every_adapter_is_measured_and_stands_in_the_table() -> None:
    known = {**here.MEASURED, **apart.MEASURED}.keys()
    assert known == ADAPTERS.keys()
    assert {row["name"] for row in json.loads(framework_speed.RESULTS.read_text("utf-8"))} == known


def test_a_governed_call_is_measured_beside_the_bare_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(run.AtOnce):
        verbs: list[str] = []  # noqa: RUF012 - of this test

        def call(self, verb: str, body: run.Json) -> run.Json:
            self.verbs.append(verb)
            return super().call(verb, body)

    for name in ("ROUNDS", "COUNT", "DECIDED"):
        monkeypatch.setattr(run, name, 2)
    found = run.measured("langchain", lambda: Governor(Asked(), agent_id="bench"))
    assert found["bare_us"] > 0
    assert {"added_us", "decided_us", "version"} <= found.keys()
    assert Asked.verbs == ["decide", "conclude"] * 6  # two rounds of two calls, each after one that is not counted


def test_figures_are_shown_with_the_unit_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{framework_speed.BEGIN}\nstale\n{framework_speed.END}\nafter\n")
    monkeypatch.setattr(framework_speed, "PAGE", page)
    monkeypatch.setattr(framework_speed, "RESULTS", tmp_path / "speed.json")
    framework_speed.write({"one": ROW})
    shown = page.read_text()
    assert "| one | 1.2 | 2 us | 40 us | 2.5 ms | 1,251 x |" in shown
    assert "stale" not in shown
    assert shown.endswith("after\n")
    assert json.loads((tmp_path / "speed.json").read_text()) == [ROW]
