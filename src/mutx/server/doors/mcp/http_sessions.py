"""The proxy's sessions over HTTP: one for each client of each principal, each with connections and a line of its own."""

import asyncio
import re
import time
from typing import Any

import httpx2
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from msgspec import Struct

from mutx.kit.errors import Conflict, InputError, Unauthenticated
from mutx.kit.ids import new_id
from mutx.sdk.client import MutxAsyncClient
from mutx.server.doors.mcp.board import SdkBoard
from mutx.server.doors.mcp.stdio import Servers
from mutx.services.mcp.governed import Line
from mutx.services.mcp.relay import Context
from mutx.services.mcp.scanning import TextScanner
from mutx.services.mcp.session import ProxyRules, ProxySession
from mutx_agent.transport.http import HttpTransport

IDLE_SECONDS = 30 * 60
SWEEP_SECONDS = 60.0
MAX_SESSIONS = 1000
MAX_OWN_SESSIONS = 50
"""Of one principal."""
SESSION_HEADER, AGENT_HEADER = "mutx-session", "mutx-agent"
MCP_SESSION = "mcp-session-id"
NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class BearerHolder(httpx2.Auth):
    """The token that a client showed last: tokens are renewed, sessions go on."""

    def __init__(self) -> None:
        self.token = ""

    def auth_flow(self, request: httpx2.Request) -> Any:
        request.headers["authorization"] = f"Bearer {self.token}"
        yield request


class Kept(Struct):
    session: ProxySession
    holder: BearerHolder
    transport: HttpTransport
    client: MutxAsyncClient
    used_at: float

    def show(self, token: str) -> None:
        if token != self.holder.token:
            self.holder.token = token
            self.transport.authenticate(token)
        self.used_at = time.monotonic()

    async def close(self) -> None:
        await self.session.close()
        self.transport.close()
        await self.client.close()


class HttpSessions:
    """Implements `Sessions`. A client's token goes to the control plane that judges it, and to no server behind."""

    def __init__(
        self, url: str, servers: Servers, scanner: TextScanner, rules: ProxyRules, *, agent: str, wait: float | None
    ) -> None:
        """`url`: the control plane's. `agent`: whose calls they are where neither key nor header says it."""
        self._url = url
        self._servers = servers
        self._scanner = scanner
        self._rules = rules
        self._agent = agent
        self._wait = wait
        self._kept: dict[tuple[str, ...], Kept] = {}

    async def of(self, ctx: Context) -> ProxySession:
        """Raises Unauthenticated, InputError, Conflict."""
        request = ctx.request
        user = None if request is None else request.scope.get("user")
        if request is None or not isinstance(user, AuthenticatedUser):
            raise Unauthenticated("send a key or a token as `Authorization: Bearer ...`")
        token = user.access_token
        named = _named(request.headers.get(SESSION_HEADER), SESSION_HEADER)
        agent = self._agent_of(token, _named(request.headers.get(AGENT_HEADER), AGENT_HEADER))
        # Clients of the protocol's stateless revision have no session of its own: then a principal's calls share one.
        key = (token.client_id, agent, request.headers.get(MCP_SESSION) or "", named or "")
        kept = self._kept.get(key)
        if kept is None:
            self._refuse_too_many(token.client_id)
            kept = self._kept[key] = self._opened(agent, named or f"mcp-{new_id()}")
        kept.show(token.token)
        return kept.session

    async def sweep(self) -> None:
        """Close what nobody uses, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.close(idle=IDLE_SECONDS)

    async def close(self, idle: float = 0.0) -> None:
        """Sessions that were not used for `idle` seconds and serve nothing now; all of them without it."""
        now = time.monotonic()
        over = [
            key
            for key, kept in self._kept.items()
            if not idle or (now - kept.used_at >= idle and not kept.session.busy)
        ]
        await asyncio.gather(*(self._kept.pop(key).close() for key in over))

    def _opened(self, agent: str, session_id: str) -> Kept:
        holder, transport = BearerHolder(), HttpTransport(self._url)
        client = MutxAsyncClient(self._url)
        client.http.auth = holder
        line = Line(transport, agent, session_id, deadline=self._wait)
        session = ProxySession(line, self._servers, SdkBoard(client), self._scanner, self._rules)
        return Kept(session=session, holder=holder, transport=transport, client=client, used_at=time.monotonic())

    def _agent_of(self, token: AccessToken, named: str | None) -> str:
        own = (token.claims or {}).get("agent_id")
        if own is not None and named is not None and named != own:
            raise InputError(f"`{AGENT_HEADER}` names another agent than the key's own")
        return str(own or named or self._agent)

    def _refuse_too_many(self, principal: str) -> None:
        own = sum(key[0] == principal for key in self._kept)
        if own >= MAX_OWN_SESSIONS or len(self._kept) >= MAX_SESSIONS:
            raise Conflict("too many open MCP sessions; end some, or come back later")


def _named(value: str | None, header: str) -> str | None:
    if value is not None and not NAMED.fullmatch(value):
        raise InputError(f"`{header}` must be a name of letters, digits and . _ : - with at most 128 characters")
    return value
