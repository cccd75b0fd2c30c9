"""Events as JSON lines."""

import json
from pathlib import Path

import pytest

from mutx.services.telemetry.log import LogSink
from tests.conformance.scribe import Scribe


async def test_each_event_is_a_line(scribe: Scribe, tmp_path: Path) -> None:
    turn, _ = await scribe.wait()
    sink = LogSink(tmp_path / "events.jsonl")
    await sink.send(turn.events[:1])
    await sink.send(turn.events[1:])
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["aarm.action", "aarm.decision", "aarm.approval"]
    assert lines[1]["payload"]["effect"] == "step_up"
    assert lines[0]["at"] == "2027-01-15T08:00:00.000000Z"


async def test_without_a_file_it_prints(scribe: Scribe, capsys: pytest.CaptureFixture[str]) -> None:
    turn = await scribe.allow()
    await LogSink().send(turn.events)
    assert json.loads(capsys.readouterr().out.splitlines()[0])["workspace_id"] == "ws-1"
