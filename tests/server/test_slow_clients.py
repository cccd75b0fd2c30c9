"""Clients that keep a server waiting, on a real one: each sweep stands for a second."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from msgspec import Struct

from mutx.server.slow_clients import MAX_HEADER_BYTES, Patience, WatchedHttp
from mutx.server.up import HttpServer, listen

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n"
BIG = 64_000_000


async def app(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    answer = b"x" * BIG if scope["path"] == "/big" else body
    length = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": answer})


class Running(Struct, frozen=True):
    server: HttpServer
    port: int
    opened: list[asyncio.StreamWriter]

    async def connect(self, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        writer.write(first)
        await writer.drain()
        for _ in range(20):  # both loops are one: let the server read
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        return reader, writer

    def sweep(self, times: int) -> None:
        for _ in range(times):
            Patience(headers=2, body=4, reader=6, resting=25).sweep(self.server.server_state.connections)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http=WatchedHttp, lifespan="off", log_config=None, access_log=False)
    server = HttpServer(config, Patience(headers=9, body=9, reader=9))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    for _ in range(500):
        if not server.started:
            await asyncio.sleep(0.01)
    made = Running(server, listener.getsockname()[1], [])
    yield made
    for writer in made.opened:
        writer.close()
    server.should_exit = True
    await task
    listener.close()


async def problem_in(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)


async def test_headers_that_trickle_in_are_given_up(running: Running) -> None:
    reader, writer = await running.connect(HEAD)
    running.sweep(2)
    writer.write(b"x-more: 1\r\n")  # a byte now and then buys no time
    await asyncio.sleep(0.05)
    running.sweep(1)
    status, problem = await problem_in(reader)
    assert (status, problem["code"]) == (408, "request_too_slow")
    assert problem["request_id"]
    assert problem["timestamp"]


async def test_a_body_that_trickles_in_is_given_up(running: Running) -> None:
    reader, writer = await running.connect(HEAD + b"\r\nab")
    running.sweep(4)
    writer.write(b"c")
    await asyncio.sleep(0.05)
    running.sweep(1)
    assert (await problem_in(reader))[0] == 408


async def test_a_connection_that_says_nothing_is_closed(running: Running) -> None:
    reader, _ = await running.connect()
    running.sweep(3)
    assert await reader.read() == b""


async def test_endless_headers_are_refused(running: Running) -> None:
    reader, writer = await running.connect(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
    for _ in range(3):
        writer.write(b"x: " + b"y" * (MAX_HEADER_BYTES // 2))
        await asyncio.sleep(0.05)
    status, problem = await problem_in(reader)
    assert (status, problem["code"]) == (431, "headers_too_large")


async def test_what_is_no_http_gets_a_problem(running: Running) -> None:
    reader, _ = await running.connect(b"\x16\x03\x01 hello\r\n\r\n")
    status, problem = await problem_in(reader)
    assert (status, problem["code"]) == (400, "malformed_request")


async def test_an_answer_that_nobody_reads_is_cut_off(running: Running) -> None:
    reader, _ = await running.connect(b"GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n")
    running.sweep(7)
    assert len(await reader.read()) < BIG


async def test_a_connection_that_nobody_uses_any_more_is_closed(running: Running) -> None:
    reader, writer = await running.connect()
    for _ in range(2):
        writer.write(HEAD + b"\r\nping")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(4) == b"ping"
        running.sweep(25)
    running.sweep(1)
    assert await reader.read() == b""


async def test_who_is_not_slow_is_not_disturbed(running: Running) -> None:
    """Two requests on one connection, with a long thought between them."""
    reader, writer = await running.connect()
    for body in (b"ping", b"pong"):
        writer.write(HEAD + b"\r\n" + body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(4) == body
        running.sweep(20)
