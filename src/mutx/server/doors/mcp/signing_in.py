"""`mutx mcp login`: sign in to one server behind the proxy, in a browser, once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from mcp.client.client import Client
from mcp.shared.auth import AuthorizationCodeResult

from mutx.kit.errors import SetupError, TimedOut
from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.oauth import CALLBACK_PATH, ServerTokens, client_auth
from mutx.services.mcp.transports import transport_to

SIGN_IN_SECONDS = 300.0
MAX_HEAD = 16_384
PAGE = b"<!doctype html><title>MUTX</title><p>Signed in. You may close this page and go back to the terminal."


class Callback:
    """The one request that the browser brings back, at an address of this machine that nobody else listens on."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[AuthorizationCodeResult] = asyncio.get_running_loop().create_future()
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{CALLBACK_PATH}"
        async with server:
            yield

    async def answered(self) -> AuthorizationCodeResult:
        """Raises TimedOut; SetupError where the sign-in was refused."""
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                return await self._answer
        except TimeoutError:
            raise TimedOut(f"nobody signed in within {SIGN_IN_SECONDS:g} s; try again") from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline())[:MAX_HEAD].decode("ascii", "replace").split(" ")
        target = urlsplit(line[1]) if len(line) == 3 else urlsplit("")
        found = target.path == CALLBACK_PATH and line[0] == "GET"
        body = PAGE if found else b""
        status = b"200 OK" if found else b"404 Not Found"
        writer.write(
            b"HTTP/1.1 %s\r\ncontent-type: text/html\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (status, len(body), body)
        )
        await writer.drain()
        writer.close()
        if found and not self._answer.done():
            self._settle(parse_qs(target.query))

    def _settle(self, query: dict[str, list[str]]) -> None:
        code, state, issuer = (query.get(name, [""])[0] for name in ("code", "state", "iss"))
        if code:
            self._answer.set_result(AuthorizationCodeResult(code=code, state=state or None, iss=issuer or None))
        else:
            why = query.get("error_description", query.get("error", ["no reason given"]))[0]
            self._answer.set_exception(SetupError(f"the sign-in was refused: {why[:200]}"))


async def sign_in(server: str, spec: ServerSpec, storage: ServerTokens, show: Callable[[str], Awaitable[None]]) -> int:
    """Sign in, and prove it by listing the server's tools: how many there are. Raises SetupError, TimedOut, OAuthFlowError."""
    if spec.url is None or not spec.oauth:
        raise SetupError(f'{server} is not signed in to: give it a "url" and "oauth": true in the configuration')
    storage.forget()
    callback = Callback()
    async with callback.listening():
        auth = client_auth(server, spec.url, storage, callback_url=callback.url, show=show, answered=callback.answered)
        async with Client(transport_to(spec, auth)(), cache=None) as client:
            return len((await client.list_tools()).tools)
