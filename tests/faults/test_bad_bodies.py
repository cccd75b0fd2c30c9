"""Bodies that are no JSON, too much JSON, or JSON that means two things: refused by name, and nothing was decided."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mutx.server.embedded import create
from tests.faults.world import World, assert_refused, call

START = b'{"tool_name": "read", "agent_id": "bot", "session_id": "s", "tool_args": '

MALFORMED = {
    "cut off": START + b'{"path": "a',
    "two values": START + b"{}} {}",
    "NaN": START + b'{"n": NaN}}',
    "Infinity": START + b'{"n": -Infinity}}',
    "duplicate key": START + b'{}, "tool_name": "shell"}',
    "nested duplicate key": START + b'{"a": [{"path": "ok", "path": "/etc/shadow"}]}}',
    "escaped duplicate key": START + b'{"path": "ok", "\\u0070ath": "/etc/shadow"}}',
    "1000 deep": START + b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}}",
    "lone surrogate": START + b'{"path": "\\ud800"}}',
    "lone surrogate in a key": START + b'{"\\udc00": 1}}',
    "not UTF-8": START + b'{"path": "\xff"}}',
    "UTF-16": '{"tool_name": "read"}'.encode("utf-16"),
    "a comment": START + b"{}} // allow",
}

WRONG: dict[str, dict[str, Any]] = {
    "unknown field": {"_decision": "allow"},
    "a server's field": {"_workspace_id": "another"},
    "a number for a name": {"_tool_name": 5},
    "a list for arguments": {"_tool_args": ["path"]},
    "null for a name": {"_tool_name": None},
    "an empty tool": {"_tool_name": ""},
    "an empty agent": {"_agent_id": ""},
    "an empty session": {"_session_id": ""},
    "a short action id": {"_action_id": "1"},
    "a long action id": {"_action_id": "x" * 129},
    "a long session id": {"_session_id": "s" * 257},
    "a long tool name": {"_tool_name": "read" * 100},
    "too many dependencies": {"_depends_on": ["x"] * 33},
}


@pytest.fixture
async def untouched(world: World) -> AsyncIterator[World]:
    """A world in which nothing may have been decided at the end."""
    yield world
    assert await world.decisions() == 0
    assert (await world.decide("read"))["effect"] == "allow"


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_malformed(untouched: World, body: bytes) -> None:
    json_type = {"content-type": "application/json"}
    for path in ("/v1/governance/decide", "/v1/security/actions/evaluate"):
        answer = await untouched.operator.post(path, content=body, headers=json_type)
        assert answer.status_code in {400, 422}, answer.text
        assert answer.json()["code"] in {"malformed_body", "invalid_input"}
    if body.startswith(START):
        answered = await untouched.over_socket(b'{"id": 1, "verb": "decide", "body": ' + body + b"}")
        assert answered["error"]["code"] == "malformed_body"


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("door", ["http", "uds"])
async def test_wrong(untouched: World, door: str, fields: dict[str, Any]) -> None:
    answer = await untouched.ask(door, "decide", call("read", **fields), untouched.token)
    assert answer["error"]["code"] == "invalid_input"


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
async def test_ten_megabytes(untouched: World, declared: bool) -> None:
    body = START + b'{"text": "' + b"x" * 10_000_000 + b'"}}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 2**16):
            yield body[start : start + 2**16]

    headers = {"content-type": "application/json"}
    for path in ("/v1/governance/decide", "/v1/policies"):
        answer = await untouched.operator.post(path, content=body if declared else pieces(), headers=headers)
        assert_refused(answer, 413, "too_large")


async def test_ten_megabytes_on_the_socket(untouched: World) -> None:
    answer = await untouched.over_socket(b'{"id": 1, "verb": "decide", "body": "' + b"x" * 10_000_000 + b'"}')
    assert answer["error"]["code"] == "too_large"


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", deep(1000), deep(200_000), {1, 2}, b"bytes", object()]
)
def test_what_json_cannot_hold_is_refused_in_process_too(value: Any) -> None:
    with create(memory=True) as plane:
        answer = plane.call("decide", call("read", value=value))
        assert answer["error"]["code"] == "malformed_body"
        assert "ok" in plane.call("decide", call("read", value=1))


async def test_numbers_that_no_float_holds(world: World) -> None:
    """They are decided as what a JSON reader makes of them, or refused; the receipt says which."""
    for number in (
        "1e400",
        "123456789012345678901234567890",
        "-0",
        "1e-400",
        "9007199254740993",
        str(2**63),
        str(2**64),
    ):
        body = START + b'{"n": ' + number.encode() + b"}}"
        answer = await world.operator.post("/v1/governance/decide", content=body)
        assert answer.status_code in {200, 400, 422}, answer.text
    assert (await world.decide("read", n=1))["effect"] == "allow"
    assert json.loads((await world.operator.get("/v1/security/receipts/session/s")).text)["count"] >= 1
