"""Whole answers over a real socket: what a client reads is what it would read of any server."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from mutx.server.http_protocol import KEY, WholeAnswers
from tests.faults.process import free_port

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"
CLOSING = b"connection: close\r\n"


class App:
    """Answers at once where that goes, else as ASGI has it; remembers which."""

    def __init__(self) -> None:
        self.whole: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.whole.append(scope[KEY](HEAD, b"whole"))
        if not self.whole[-1]:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"parts"})
        assert not scope[KEY](HEAD, b"again"), "an answer is sent once"


@pytest.fixture
async def served() -> AsyncIterator[tuple[App, int]]:
    app, port = App(), free_port()
    config = uvicorn.Config(app, port=port, http=WholeAnswers, lifespan="off", log_config=None, server_header=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield app, port
    server.should_exit = True
    await task


def request(*lines: bytes, body: bytes = b"") -> bytes:
    head = [b"POST / HTTP/1.1", b"host: a", b"content-length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


async def exchange(port: int, sent: bytes, answers: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    read = b""
    while len(re.findall(rb"\r\n\r\n(whole|parts)", read)) < answers:
        read += await asyncio.wait_for(reader.read(65_536), 10)
    writer.close()
    await writer.wait_closed()
    return read


async def test_one_connection_carries_many_answers(served: tuple[App, int]) -> None:
    app, port = served
    read = await exchange(port, request(body=b"x" * 100_000) + request(body=b"{}") * 2, answers=3)
    assert read.count(HEAD) == read.count(b"\r\ndate: ") == read.count(b"\r\n\r\nwhole") == 3
    assert app.whole == [True] * 3


async def test_a_connection_that_ends_gets_an_answer_that_says_so(served: tuple[App, int]) -> None:
    app, port = served
    for last in (request(b"connection: close"), request().replace(b"HTTP/1.1", b"HTTP/1.0")):
        read = await exchange(port, last, answers=1)
        assert CLOSING in read
        assert read.endswith(b"\r\n\r\nparts")
    assert app.whole == [False, False]


async def test_who_waits_for_a_go_ahead_gets_it_before_the_answer(served: tuple[App, int]) -> None:
    app, port = served
    read = await exchange(port, request(b"expect: 100-continue", body=b"{}"), answers=1)
    assert read.startswith(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD)
    assert app.whole == [True]
