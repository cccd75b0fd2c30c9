"""Batches to a real HTTP collector: answered, repeated where they were not, split where they are too large."""

import json

import pytest

from mutx.governance.turn import Event
from mutx.kit.errors import Unavailable
from mutx.services.siem.formats import SiemFormat, formatter
from mutx.services.siem.http import HttpSiemSink
from tests.conformance.scribe import Scribe
from tests.services.telemetry.receivers import Received


async def test_a_batch_is_one_post_of_lines(receiver: Received, scribe: Scribe) -> None:
    turn = await scribe.allow()
    sink = HttpSiemSink(receiver.url, formatter(SiemFormat.OCSF), authorization="Splunk secret")
    await sink.send(turn.events)
    await sink.send([])
    [(_, headers, body)] = receiver.requests
    assert (headers["authorization"], headers["content-type"]) == ("Splunk secret", "application/x-ndjson")
    lines = [json.loads(line) for line in body.decode().splitlines()]
    assert [line["metadata"]["event_code"] for line in lines] == ["TOOL_REQUEST", "POLICY_CHECK"]
    assert {line["class_uid"] for line in lines} == {6003}


async def test_what_was_not_taken_is_sent_again_under_the_same_name(receiver: Received, scribe: Scribe) -> None:
    turn, sink = await scribe.allow(), HttpSiemSink(receiver.url, formatter(SiemFormat.JSON))
    receiver.status = 503
    with pytest.raises(Unavailable, match="answered 503"):
        await sink.send(turn.events)
    receiver.status = 302
    with pytest.raises(Unavailable, match="answered 302"):
        await sink.send(turn.events)
    receiver.status = 204
    await sink.send(turn.events)
    assert len({headers["x-mutx-batch"] for _, headers, _ in receiver.requests}) == 1
    assert "authorization" not in receiver.requests[0][1]
    with pytest.raises(Unavailable, match="did not answer"):
        await HttpSiemSink("http://127.0.0.1:1/", formatter(SiemFormat.JSON)).send(turn.events)


async def test_a_batch_that_is_too_large_is_halved(receiver: Received) -> None:
    events = [
        Event(topic="audit.login", workspace_id="ws-1", at=float(number), payload={"event_type": "LOGIN"})
        for number in range(3)
    ]
    receiver.status = 413
    with pytest.raises(Unavailable, match="413"):
        await HttpSiemSink(receiver.url, formatter(SiemFormat.CEF)).send(events)
    assert [body.count(b"\n") for _, _, body in receiver.requests] == [3, 1]
