"""What a server says has changed, asked for in the way of the revision that it speaks."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from mcp.client.client import Client
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp.types import (
    METHOD_NOT_FOUND,
    EmptyResult,
    ServerCapabilities,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

ANSWER_SECONDS = 30.0
LISTS = ""
"""The stream of changes to what a server lists; every other one is of a resource."""


class ChangeStreams:
    """Of one server. What is wanted outlives a connection: the next one asks for it again.

    What comes goes to the connection's message handler, whichever revision it is.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._wanted: Counter[str] = Counter()
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._taken: dict[str, asyncio.Future[None]] = {}
        """Done once the server takes it; the exception is why it does not."""

    def renew(self, client: Client) -> None:
        """On a new connection."""
        self.close()
        if _is_modern(client) and _tells_of_lists(client.session.server_capabilities):
            self._begin(client, LISTS)
        for uri in self._wanted:
            self._begin(client, uri)

    async def watch(self, client: Client, uri: str) -> None:
        """Raises MCPError where the server does not take the subscription. Who asks meanwhile waits for the same answer."""
        self._wanted[uri] += 1
        try:
            await self._asked(client, uri)
        except (MCPError, SubscriptionLost, TimeoutError) as error:
            self._let_go(uri)
            why = error.message if isinstance(error, MCPError) else "it does not answer"
            message = f"the MCP server {self._server} takes no subscription to this resource: {why}"
            raise MCPError(METHOD_NOT_FOUND, message[:500]) from error
        except asyncio.CancelledError:
            self._let_go(uri)
            raise

    async def _asked(self, client: Client, uri: str) -> None:
        """Until the server has answered, on whichever connection is the newest then."""
        if uri not in self._taken:
            self._begin(client, uri)
        while (taken := self._taken.get(uri)) is not None:
            await asyncio.wait((taken,))
            if not taken.cancelled():
                return taken.result()
            if self._taken.get(uri) is taken:
                break
        raise MCPError(METHOD_NOT_FOUND, "the connection ended")

    async def unwatch(self, client: Client | None, uri: str) -> None:
        if not self._let_go(uri):
            return
        if client is not None and not _is_modern(client):
            request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
            with suppress(MCPError):
                await client.session.send_request(request, EmptyResult, request_read_timeout_seconds=ANSWER_SECONDS)

    def _let_go(self, uri: str) -> bool:
        """One fewer wants it. Whether nobody does."""
        self._wanted[uri] -= 1
        if self._wanted[uri] > 0:
            return False
        del self._wanted[uri]
        self._taken.pop(uri, None)
        stream = self._streams.pop(uri, None)
        if stream is not None:
            stream.cancel()
        return True

    def close(self) -> None:
        for stream in self._streams.values():
            stream.cancel()
        for taken in self._taken.values():
            taken.cancel()
        self._streams.clear()
        self._taken.clear()

    def _begin(self, client: Client, uri: str) -> None:
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept = self._streamed(client, uri, taken) if _is_modern(client) else self._subscribed(client, uri, taken)
        self._taken[uri] = taken
        self._streams[uri] = asyncio.create_task(kept, name=f"mcp-changes-{self._server}")

    async def _subscribed(self, client: Client, uri: str, taken: "asyncio.Future[None]") -> None:
        request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
        with _telling(taken):
            await client.session.send_request(request, EmptyResult, request_read_timeout_seconds=ANSWER_SECONDS)
            if not taken.done():
                taken.set_result(None)

    async def _streamed(self, client: Client, uri: str, taken: "asyncio.Future[None]") -> None:
        """As long as the stream is open."""
        uris: Sequence[str] = [uri] if uri else ()
        with _telling(taken):
            async with client.listen(
                tools_list_changed=not uri,
                prompts_list_changed=not uri,
                resources_list_changed=not uri,
                resource_subscriptions=uris,
            ) as stream:
                if uri and uri not in (stream.honored.resource_subscriptions or ()):
                    raise MCPError(METHOD_NOT_FOUND, "it does not tell of it")
                if not taken.done():
                    taken.set_result(None)
                async for _ in stream:
                    pass


@contextmanager
def _telling(taken: "asyncio.Future[None]") -> Iterator[None]:
    """Why a stream cannot be, or is over, goes to whoever waits for it to be taken, and to nobody else."""
    try:
        yield
    except (MCPError, SubscriptionLost, TimeoutError) as error:
        if not taken.done():
            taken.set_exception(error)
            taken.exception()  # it counts as read: after a new connection nobody waits
    finally:
        if not taken.done():
            taken.cancel()


def _is_modern(client: Client) -> bool:
    return client.session.protocol_version in MODERN_PROTOCOL_VERSIONS


def _tells_of_lists(able: ServerCapabilities | None) -> bool:
    offered = () if able is None else (able.tools, able.prompts, able.resources)
    return any(one is not None and bool(one.list_changed) for one in offered)
