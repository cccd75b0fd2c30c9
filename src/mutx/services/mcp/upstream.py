"""One MCP server behind the proxy: connected when it is first needed, and again after it went away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, TypeVar

import structlog
from mcp.client.client import Client
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT, ListToolsResult, PaginatedRequestParams, Request, Result
from pydantic import TypeAdapter

from mutx.kit.errors import TimedOut, Unavailable
from mutx.services.mcp.changes import ChangeStreams

log = structlog.stdlib.get_logger("mutx.mcp")

R = TypeVar("R", bound=Result)
Transport = AbstractAsyncContextManager[tuple[Any, Any]]
Connect = Callable[[Transport], Client]
"""A client over a transport, with the callbacks of one session of the proxy."""

OPEN_SECONDS = 60.0
"""A server that is started with `npx` or `uvx` may have to be downloaded first."""
CLOSE_SECONDS = 10.0
MAX_SHOWN = 300


class UpstreamGone(Unavailable):
    """The server cannot be reached, or the connection broke."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent
        """Whether the request may have reached the server."""


class Upstream:
    """Shared by the calls of one session. Any task may ask; one task of its own keeps the connection."""

    def __init__(self, name: str, transport: Callable[[], Transport], connect: Connect) -> None:
        self.name = name
        self._transport = transport
        self._connect = connect
        self._opening = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._client: Client | None = None
        self._ended = asyncio.Event()
        self._changes = ChangeStreams(name)

    async def ask(
        self,
        request: "Request[Any, Any]",
        answer: "type[R] | TypeAdapter[R]",
        *,
        seconds: float,
        on_progress: Any = None,
    ) -> R:
        """Send one request. Raises UpstreamGone, TimedOut, and MCPError where the server answers with an error."""
        session = await self.session()
        try:
            return await session.send_request(
                request, answer, request_read_timeout_seconds=seconds, progress_callback=on_progress
            )
        except MCPError as error:
            raise await self._meaning(error, seconds) from error

    async def list_tools(self, cursor: str | None) -> ListToolsResult:
        """One page, by the session's own method: it keeps what later calls need in their headers. Raises as `ask`."""
        session = await self.session()
        try:
            return await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        except MCPError as error:
            raise await self._meaning(error, 0) from error

    async def session(self) -> ClientSession:
        """The live connection. Raises UpstreamGone."""
        return (await self._connected()).session

    async def watch(self, uri: str) -> None:
        """Hear of changes to a resource, also after the connection was made anew. Raises UpstreamGone, MCPError."""
        await self._changes.watch(await self._connected(), uri)

    async def unwatch(self, uri: str) -> None:
        """Once for each `watch`."""
        await self._changes.unwatch(None if self._ended.is_set() else self._client, uri)

    async def close(self) -> None:
        keeper, self._keeper, self._client = self._keeper, None, None
        self._changes.close()
        if keeper is None:
            return
        self._ended.set()
        await asyncio.wait([keeper], timeout=CLOSE_SECONDS)
        if not keeper.done():
            keeper.cancel()
            await asyncio.wait([keeper])
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            log.info("an MCP server went away", server=self.name, error=_described(error))

    async def _connected(self) -> Client:
        async with self._opening:
            if self._client is None or self._ended.is_set():
                await self._open()
            assert self._client is not None
            return self._client

    async def _open(self) -> None:
        await self.close()
        self._ended = asyncio.Event()
        opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep(opened, self._ended), name=f"mcp-{self.name}")
        waiting: list[asyncio.Future[Any]] = [self._keeper, opened]
        await asyncio.wait(waiting, timeout=OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if opened.done():
            self._client = opened.result()
            self._changes.renew(self._client)
            return
        failed = self._keeper if self._keeper.done() else None
        opened.cancel()
        error = failed.exception() if failed is not None and not failed.cancelled() else None
        await self.close()
        why = _described(error) if error is not None else f"no answer within {OPEN_SECONDS:g} s"
        raise UpstreamGone(f"the MCP server {self.name} cannot be reached: {why}", sent=False)

    async def _keep(self, opened: "asyncio.Future[Client]", ended: asyncio.Event) -> None:
        """Enters and leaves the connection in one task, as its task groups demand."""
        try:
            async with self._connect(_watched(self._transport(), ended)) as client:
                if not opened.done():
                    opened.set_result(client)
                await ended.wait()
        finally:
            ended.set()

    async def _meaning(self, error: MCPError, seconds: float) -> Exception:
        if error.code == REQUEST_TIMEOUT:
            return TimedOut(f"the MCP server {self.name} did not answer within {seconds:g} s")
        if error.code == CONNECTION_CLOSED or "Session terminated" in error.message:
            self._ended.set()
            return UpstreamGone(
                f"the MCP server {self.name} went away during the request; whether it took effect is not known."
                " It is connected again with the next one",
                sent=True,
            )
        return error


def _described(error: BaseException) -> str:
    """The innermost cause of what task groups wrap."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:MAX_SHOWN]


@asynccontextmanager
async def _watched(transport: Transport, ended: asyncio.Event) -> AsyncIterator[tuple[Any, Any]]:
    """The same streams, with a look at when the reading one ends: then the server has gone."""
    async with transport as (read, write):
        yield WatchedStream(read, ended), write


class WatchedStream:
    """A stream of messages that says when it is over."""

    def __init__(self, inner: Any, ended: asyncio.Event) -> None:
        self._inner = inner
        self._ended = ended

    @property
    def last_context(self) -> Any:
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Any:
        return await self._inner.receive()

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended.set()
            raise

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> bool | None:
        ended: bool | None = await self._inner.__aexit__(*exc)
        return ended
