"""HTTP without a network: requests to the app of an embedded control plane, which runs on its own loop and thread.

httpx2's own ASGITransport collects a whole answer before it gives any of it out, and runs on the caller's loop; event
streams and blocking callers need this one.
"""

import asyncio
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Future
from typing import Any, Protocol, Self

import httpx2

from mutx.kit.errors import SetupError
from mutx_agent.errors import DoorUnreachable
from mutx_agent.transport.embedded import find_server

Event = MutableMapping[str, Any]
App = Callable[[Event, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]]
LOOPBACK = ("127.0.0.1", 0)


class EmbeddedHost(Protocol):
    """What the entry point makes, as far as this needs it."""

    @property
    def app(self) -> App: ...

    def submit(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        """Start a coroutine on the control plane's loop."""

    def close(self) -> None: ...


class Exchange:
    """One request at the app, its answer passed between threads as it comes."""

    def __init__(self, host: EmbeddedHost, request: httpx2.Request, content: bytes) -> None:
        self._sent: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._content = [content]
        self._work = host.submit(self._run(host.app, _scope(request)))
        self._work.add_done_callback(lambda _: self._sent.put(None))

    def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers. Blocks; raises what the app raised before it answered."""
        start = self._sent.get()
        if start is None:
            self._work.result()
            raise httpx2.RemoteProtocolError("the app ended without an answer")
        return start["status"], list(start["headers"])

    def chunk(self) -> bytes | None:
        """The next piece of the body; None at its end. Blocks."""
        event = self._sent.get()
        return None if event is None else event.get("body", b"")

    def close(self) -> None:
        self._work.cancel()

    async def _run(self, app: App, scope: Event) -> None:
        async def send(event: Event) -> None:
            self._sent.put(event)

        await app(scope, self._receive, send)

    async def _receive(self) -> Event:
        if self._content:
            return {"type": "http.request", "body": self._content.pop(), "more_body": False}
        await asyncio.Event().wait()  # cancelled with the exchange
        return {"type": "http.disconnect"}


def _scope(request: httpx2.Request) -> Event:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": LOOPBACK,
        "root_path": "",
    }


class ExchangeBody(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer, for either kind of client."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._exchange.chunk()) is not None:
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await asyncio.to_thread(self._exchange.chunk)) is not None:
            yield chunk

    def close(self) -> None:
        self._exchange.close()

    async def aclose(self) -> None:
        self._exchange.close()


class BorrowedBridge(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Reaches an embedded control plane that somebody else closes."""

    def __init__(self, host: EmbeddedHost) -> None:
        self.host = host

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = Exchange(self.host, request, request.read())
        status, headers = exchange.head()
        return httpx2.Response(status, headers=headers, stream=ExchangeBody(exchange))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = Exchange(self.host, request, await request.aread())
        status, headers = await asyncio.to_thread(exchange.head)
        return httpx2.Response(status, headers=headers, stream=ExchangeBody(exchange))


class EmbeddedBridge(BorrowedBridge):
    """Reaches an embedded control plane, and ends it when it is closed."""

    @classmethod
    def start(cls, home: str | None) -> Self:
        """Raises SetupError if the server part is not installed."""
        try:
            return cls(find_server()(home))
        except DoorUnreachable as error:
            raise SetupError(str(error)) from error

    def borrowed(self) -> BorrowedBridge:
        return BorrowedBridge(self.host)

    def close(self) -> None:
        self.host.close()

    async def aclose(self) -> None:
        await asyncio.to_thread(self.host.close)
