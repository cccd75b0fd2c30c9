"""What the doors take before anything is decided: names of verbs, batches, lines."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mutx.kit.errors import InputError, MalformedBody, SetupError, TooLarge
from mutx.server.doors.lines import MAX_LINE, LineSocket
from mutx.server.doors.peers import Peer
from mutx.server.doors.uds import _addressed, _number, parsed
from mutx.server.doors.verbs import MAX_BATCH, Verbs
from mutx.server.guardrails import close_models, open_evalview
from mutx.server.settings import Settings
from tests.resources.governed import Governed, governed


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "home", "") as made:
        yield made


async def test_an_error_of_one_item_is_that_items_answer(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    verbs, agent = Verbs(plane.services.pipeline, plane.services.bus, plane.clock), plane.agent(ana)
    call = {"tool_name": "read_stock", "agent_id": agent.agent_id, "session_id": "s", "tool_args": {}}
    first, second = (await verbs.batch("decide", {"items": [call, {}]}, agent))["results"]
    assert (first["ok"]["effect"], second["error"]["code"]) == ("allow", "invalid_input")
    for body in (None, [], {"items": {}}, {"items": [], "more": 1}, {"items": [{}] * (MAX_BATCH + 1)}):
        with pytest.raises(InputError, match="a batch is"):
            await verbs.batch("decide", body, agent)
    with pytest.raises(InputError, match="no such verb"):
        await verbs.call("allow", call, agent)


def test_what_is_no_request_is_refused_before_it_is_read() -> None:
    for line, error in ((b"[]", MalformedBody), (b" " * (MAX_LINE + 1), TooLarge)):
        with pytest.raises(error):
            parsed(line)
    with pytest.raises(InputError, match="`id`"):
        _number({"id": []})
    with pytest.raises(MalformedBody, match="`verb`"):
        _addressed({"verb": 1})
    with pytest.raises(InputError, match="`token`"):
        _addressed({"verb": "decide", "token": 1})


async def test_a_path_that_no_socket_can_have_is_said_at_the_start(tmp_path: Path) -> None:
    async def answer(line: bytes, peer: Peer) -> bytes:
        return line

    with pytest.raises(SetupError, match="MUTX_HOME"):
        await LineSocket(tmp_path / ("x" * 200), answer, b"").start()


async def test_a_judge_needs_a_model_and_both_judges_are_let_go_of(plane: Governed, tmp_path: Path) -> None:
    where = {"home": tmp_path, "guardrail_judge_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(SetupError, match="GUARDRAIL_JUDGE_MODEL"):
        open_evalview(Settings(**where))
    toxicity = {"guardrail_toxicity_url": "http://127.0.0.1:9/toxicity"}
    opened = open_evalview(Settings(**where, **toxicity, guardrail_judge_model="small"))
    await close_models(replace(plane.services, evalview=opened))


async def test_a_socket_takes_so_many_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(line: bytes, peer: Peer) -> bytes:
        return line + b"\n"

    monkeypatch.setattr("mutx.server.doors.lines.MAX_CONNECTIONS", 1)
    door = LineSocket(tmp_path / "s", answer, b"")
    await door.stop()  # before it was started there is nothing to end
    await door.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"one\n")
    assert await reader.readline() == b"one\n"
    crowded, also = await asyncio.open_unix_connection(tmp_path / "s")
    assert await crowded.read() == b""
    for each in (writer, also):
        each.close()
    await door.stop()
