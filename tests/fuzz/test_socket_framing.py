"""The Unix socket's framing under whatever bytes: an answer or a closed connection, and the next client is served."""

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mutx.server.doors.lines import MAX_LINE
from tests.fuzz.target import RANDOM_ELSEWHERE, Target

pytestmark = RANDOM_ELSEWHERE

PATIENCE = 30.0
"""Seconds after which the door counts as hanging; it answers in milliseconds."""

STATUS = {"id": 1, "verb": "status", "body": {"action_id": "nowhere"}}


def line(request: Any) -> bytes:
    return json.dumps(request).encode() + b"\n"


requests = st.fixed_dictionaries(
    {"id": st.integers() | st.text() | st.none() | st.floats(allow_nan=True)},
    optional={
        "verb": st.sampled_from(["decide", "conclude", "resolve", "redeem", "status", "wait", "", "__init__"]),
        "body": st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
        "token": st.none() | st.text() | st.integers(),
    },
).map(line)

garbage = st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: data + b"\n")

messages = st.lists(garbage | requests, max_size=8).map(b"".join)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("socket") / "home")
    yield made
    made.close()


async def exchange(target: Target, packets: list[bytes]) -> list[Any]:
    """Send the packets one by one, close the sending half, read all that comes."""
    reader, writer = await asyncio.open_unix_connection(str(target.socket))
    try:
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        answers = await reader.read()
    except (ConnectionResetError, BrokenPipeError):
        answers = b""  # the door closed first
    finally:
        writer.close()
    return [json.loads(answer) for answer in answers.splitlines()]


def talk(target: Target, *packets: bytes) -> list[Any]:
    return target.run(asyncio.wait_for(exchange(target, list(packets)), PATIENCE))


def assert_serving(target: Target) -> None:
    (answer,) = target.run(asyncio.wait_for(ask(target, line(STATUS)), PATIENCE))
    assert answer["error"]["code"] == "not_found"


async def ask(target: Target, *packets: bytes) -> list[Any]:
    """Send requests in packets as given, and read as many answers as there are lines."""
    reader, writer = await asyncio.open_unix_connection(str(target.socket))
    for packet in packets:
        writer.write(packet)
        await writer.drain()
        await asyncio.sleep(0)
    answers = [json.loads(await reader.readline()) for _ in range(b"".join(packets).count(b"\n"))]
    writer.close()
    return answers


@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=messages, cuts=st.lists(st.integers(0, 400), max_size=4))
@example(data=b"\n" * 5000, cuts=[])
@example(data=b"\xff\xfe{}\n", cuts=[1])
def test_any_bytes_in_any_pieces(target: Target, data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    answers = talk(target, *(data[start:end] for start, end in pairwise(edges)))
    assert len(answers) <= data.count(b"\n")
    assert all(answer["error"]["code"] != "internal_error" for answer in answers)
    assert_serving(target)


def test_every_request_of_one_packet_is_answered(target: Target) -> None:
    packet = b"".join(line({**STATUS, "id": n}) for n in range(500))
    answers = target.run(asyncio.wait_for(ask(target, packet), PATIENCE))
    assert sorted(answer["id"] for answer in answers) == list(range(500))


def test_a_request_may_come_byte_by_byte(target: Target) -> None:
    pieces = [bytes([byte]) for byte in line(STATUS)]
    (answer,) = target.run(asyncio.wait_for(ask(target, *pieces), PATIENCE))
    assert answer["id"] == 1


@pytest.mark.parametrize("ending", [b"", b"\n"], ids=["without end", "with end"])
def test_a_huge_line_is_refused(target: Target, ending: bytes) -> None:
    answers = talk(target, b"x" * (MAX_LINE + 1) + ending)
    assert [answer["error"]["code"] for answer in answers] in ([], ["too_large"])
    assert_serving(target)


def test_a_client_that_never_reads_holds_up_nobody(target: Target) -> None:
    async def flood() -> None:
        _, writer = await asyncio.open_unix_connection(str(target.socket))
        writer.write(line(STATUS) * 20_000)
        await asyncio.sleep(0.1)
        (answer,) = await ask(target, line(STATUS))
        assert answer["id"] == 1
        writer.transport.abort()

    target.run(asyncio.wait_for(flood(), PATIENCE))
    assert_serving(target)
