"""Hot requests over real connections: parsed once, then known by their head; what a client reads is the same either way."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import NotFound, TooLarge
from mutx.server.doors.http import hot_routes
from mutx.server.hot_http import whole
from mutx.server.middleware.hot_lane import MAX_HEADS, HotLane
from mutx.server.slow_clients import Patience, WatchedHttp
from mutx.server.up import HttpServer, listen
from mutx.server.waiting import WaitingRoom
from tests.server.plane import Plane, running

PATH = b"/v1/governance/decide"
DEADLINE = 60


class Echo:
    """Verbs that answer with what they were sent; `wait` keeps an answer back until `go`."""

    def __init__(self) -> None:
        self.go, self.begun = asyncio.Event(), asyncio.Event()

    async def call(self, verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        if body.get("wait"):
            self.begun.set()
            await self.go.wait()
        if body.get("missing"):
            raise NotFound("there is no such thing")
        if body.get("large"):
            raise TooLarge("that is too much")
        return {"verb": verb, "echo": body, "by": caller.user_id}

    batch = call


class Served:
    """A control plane behind a real port, and how many requests came by way of ASGI."""

    def __init__(self, plane: Plane, echo: Echo) -> None:
        self.plane, self.echo, self.parsed = plane, echo, 0
        self.token = ""
        self.opened: list[Connection] = []
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        room = WaitingRoom(self)
        plain = {"lifespan": "off", "log_config": None, "access_log": False, "proxy_headers": False}
        config = uvicorn.Config(room, http=WatchedHttp, **cast("Any", plain))
        self.server = HttpServer(config, Patience(headers=9, body=9, reader=9))
        self.task = asyncio.create_task(self.server.serve(sockets=[listener]))

    @property
    def hot_lane(self) -> HotLane:
        lane: HotLane = cast("Any", self.plane.app).hot_lane
        return lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.parsed += 1
        await self.plane.app(scope, receive, send)

    def request(self, body: Any, *lines: bytes, length: bytes = b"Content-Length") -> bytes:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        heads = (b"Host: 127.0.0.1", b"Authorization: Bearer " + self.token.encode(), *lines)
        return b"\r\n".join((b"POST %b HTTP/1.1" % PATH, *heads, b"%b: %d" % (length, len(text)), b"", text))

    async def open(self) -> "Connection":
        self.opened.append(Connection(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.opened[-1]

    async def close(self) -> None:
        for connection in self.opened:
            connection.writer.close()
            with suppress(OSError):
                await connection.writer.wait_closed()
        self.server.should_exit = self.server.force_exit = True
        await self.task


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, bytes, Any]:
        """Status, head and body of the next answer."""
        async with asyncio.timeout(DEADLINE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            return int(head[9:12]), head, json.loads(await self.reader.readexactly(int(length[1])))

    async def ask(self, data: bytes) -> tuple[int, bytes, Any]:
        self.send(data)
        return await self.answer()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    echo = Echo()
    async with running(tmp_path / "home", doors=hot_routes(cast("Any", echo))) as plane:
        made = Served(plane, echo)
        made.token = (await plane.register()).tokens["access_token"]
        await until(lambda: made.server.started)
        yield made
        echo.go.set()
        await made.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not holds():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)


async def warm(served: Served) -> Connection:
    """A connection whose next plain request need not be parsed."""
    connection = await served.open()
    status, _, _ = await connection.ask(served.request({"n": 0}))
    assert status == 200
    served.parsed = 0
    return connection


@pytest.mark.parametrize("length", [b"Content-Length", b"content-length"])
async def test_a_head_that_was_parsed_once_is_not_parsed_again(served: Served, length: bytes) -> None:
    first = await served.open()
    answers = [await first.ask(served.request({"n": "x" * size}, length=length)) for size in (1, 1, 200)]
    assert [status for status, _, _ in answers] == [200] * 3
    assert [body["echo"]["n"] for _, _, body in answers] == ["x", "x", "x" * 200]
    assert served.parsed == 1, "the others have the head of the first but for the length"
    again = await first.ask(served.request({"n": 1}, b"X-Request-Id: of-our-own"))
    names = [{line.partition(b":")[0] for line in head.splitlines()} for head in (answers[1][1], again[1])]
    assert names[0] <= names[1], "the full way adds what browsers look at"
    second = await served.open()
    for expected in (3, 3):  # a connection's first message is parsed, whoever sent its like before
        await second.ask(served.request({"n": 1}, length=length))
        assert served.parsed == expected


async def test_errors_leave_by_the_short_way_as_well(served: Served) -> None:
    connection = await warm(served)
    status, head, body = await connection.ask(served.request(b"{"))
    assert (status, body["code"]) == (400, "malformed_body")
    assert body["request_id"].encode() in head
    assert b"ratelimit-remaining" in head
    status, _, body = await connection.ask(served.request({"missing": True}))
    assert (status, body["code"]) == (404, "not_found")
    status, head, _ = await connection.ask(served.request({"large": True}))
    assert status == 413
    assert head.count(b"connection: close") == 1
    assert await connection.reader.read() == b"", "an answer that closes closes"
    assert served.parsed == 0
    counted = served.plane.services.registry.get_sample_value
    assert counted("http_requests_total", {"method": "POST", "path": PATH.decode(), "status": "404"}) == 1


async def test_a_revoked_credential_is_refused_with_a_head_that_is_known(served: Served) -> None:
    connection = await warm(served)
    served.plane.services.auth.callers.revoke()
    assert (await connection.ask(served.request({})))[0] == 200
    assert served.parsed == 1, "verified anew, on the full way"
    other = served.request({}).replace(served.token.encode(), served.token[:-4].encode() + b"AAAA")
    assert (await connection.ask(other))[0] == 401


async def test_what_does_not_come_whole_and_alone_goes_to_the_parser(served: Served) -> None:
    connection = await warm(served)
    text = served.request({"n": 5})
    for cut in (30, text.index(b"\r\n\r\n") + 6):
        connection.send(text[:cut])
        await asyncio.sleep(0.05)
        assert (await connection.ask(text[cut:]))[2]["echo"] == {"n": 5}
    connection.send(text + served.request({"n": 6}))
    assert [(await connection.answer())[2]["echo"]["n"] for _ in range(2)] == [5, 6]
    assert served.parsed == 4


async def test_what_comes_while_a_request_is_answered_waits_its_turn(served: Served) -> None:
    connection = await warm(served)
    connection.send(served.request({"wait": True}))
    await asyncio.wait_for(served.echo.begun.wait(), DEADLINE)
    connection.send(served.request({"n": 2}))
    await asyncio.sleep(0.05)
    served.echo.go.set()
    assert [(await connection.answer())[2]["echo"] for _ in range(2)] == [{"wait": True}, {"n": 2}]
    assert (await connection.ask(served.request({"n": 3})))[2]["echo"] == {"n": 3}
    assert served.parsed == 1


async def test_a_server_that_ends_answers_first_and_says_so(served: Served) -> None:
    connection = await warm(served)
    connection.send(served.request({"wait": True}))
    await asyncio.wait_for(served.echo.begun.wait(), DEADLINE)
    for one in list(served.server.server_state.connections):
        cast("WatchedHttp", one).shutdown()
    served.echo.go.set()
    status, head, _ = await connection.answer()
    assert (status, b"connection: close" in head) == (200, True)
    assert await connection.reader.read() == b""


async def test_a_client_that_leaves_is_not_written_to(served: Served) -> None:
    connection = await warm(served)
    connection.send(served.request({"wait": True}))
    await asyncio.wait_for(served.echo.begun.wait(), DEADLINE)
    connection.writer.transport.abort()
    state = served.server.server_state
    await until(lambda: not state.connections)
    served.echo.go.set()
    await until(lambda: not state.tasks)


async def test_a_request_that_is_cancelled_closes_its_connection(served: Served) -> None:
    connection = await warm(served)
    connection.send(served.request({"wait": True}))
    await asyncio.wait_for(served.echo.begun.wait(), DEADLINE)
    for task in list(served.server.server_state.tasks):
        task.cancel()
    async with asyncio.timeout(DEADLINE):
        assert await connection.reader.read() == b""


@pytest.mark.parametrize(
    "line", [b"Connection: close", b"X-Request-Id: a-name-of-ours", b"Origin: http://127.0.0.1:8000"]
)
async def test_an_unusual_head_is_never_learnt(served: Served, line: bytes) -> None:
    for _ in range(3):
        connection = await served.open()
        await connection.ask(served.request({"n": 1}, line))
    assert served.parsed == 3


async def test_what_is_remembered_is_bounded(served: Served) -> None:
    await warm(served)
    lane = served.hot_lane
    scope: Any = {
        "method": "POST",
        "path": PATH.decode(),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer x"), (b"content-length", b"1")],
    }
    for number in range(MAX_HEADS + 1):
        lane.learn(b"%d" % number, scope)
    assert lane.known(b"0") is None
    assert lane.known(b"%d" % MAX_HEADS) is not None


HEAD = b"POST /v1/governance/decide HTTP/1.1\r\nHost: a\r\nContent-Length: "


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"2\r\n\r\n",
        HEAD + b"2\r\n\r\n{}x",
        HEAD + b"-2\r\n\r\n{}",
        HEAD + b"2 \r\n\r\n{}",
        HEAD + b"\r\n\r\n",
        HEAD + b"2",
        HEAD.replace(b"Content-Length", b"X-Length") + b"2\r\n\r\n{}",
        HEAD.replace(b"\r\nContent", b" content") + b"2\r\n\r\n{}",
        HEAD + b"0000000002\r\n\r\n{}",
    ],
)
def test_anything_but_one_whole_request_is_the_parsers(data: bytes) -> None:
    assert whole(data) is None


def test_heads_of_one_name_differ_in_the_length_alone() -> None:
    short, long = whole(HEAD + b"2\r\nA: b\r\n\r\n{}"), whole(HEAD + b"10\r\nA: b\r\n\r\n" + b"x" * 10)
    assert short is not None
    assert long is not None
    assert short.head == long.head
    for other in (
        HEAD + b"2\r\nA: c\r\n\r\n{}",
        HEAD.replace(b"Host: a", b"Host: b") + b"2\r\nA: b\r\n\r\n{}",
        HEAD + b"2\r\n\r\n{}",
    ):
        found = whole(other)
        assert found is not None
        assert found.head != short.head
