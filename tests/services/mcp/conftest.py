"""A control plane in this process, MCP servers made with the official SDK, and a proxy between them and a client."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from mcp import Client
from mcp.client._memory import InMemoryTransport
from mcp.server import MCPServer, Server
from msgspec.structs import replace

from mutx.contract.auth import Registration
from mutx.contract.policies import PolicyWrite
from mutx.governance.types import Door, PrincipalKind
from mutx.kit.errors import MutxError
from mutx.sdk.bridge import EmbeddedBridge
from mutx.sdk.client import EMBEDDED_URL, MutxAsyncClient, MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair
from mutx.server.doors.mcp.board import SdkApprover, SdkBoard
from mutx.server.embedded import Embedded, create
from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.governed import Line
from mutx.services.mcp.one import OneSession
from mutx.services.mcp.proxy import McpProxy
from mutx.services.mcp.scanning import PatternScanner
from mutx.services.mcp.session import ProxyRules, ProxySession
from mutx.web.access import AGENT_SCOPES
from mutx_agent.errors import DoorRefused
from mutx_agent.transport.base import Json, Transport

PASSWORD = "correct horse battery"
AGENT = "desk"
POLICY = """
name: mcp
default: deny
tools:
  - {name: "*__read_*", output: {confidentiality: internal}}
rules:
  - {id: reads, match: {tool: "*__read_*"}, effect: allow}
  - {id: writes, match: {tool: "*__write_*"}, effect: allow}
  - {id: caps, priority: 10, match: {tool: "*__cap_*"}, effect: modify, modify: [{cap: amount, max: 10}]}
  - {id: pays, priority: 20, match: {tool: "*__pay"}, effect: step_up, reason: payments are looked at}
  - {id: few, match: {tool: "*__limit"}, when: args.amount < 5, effect: allow}
  - {id: never, match: {tool: "*__drop"}, effect: deny, final: true, reason: nothing is dropped}
  - {id: data, match: {tool: "*__resources:read"}, when: '!args.uri.contains("secret")', effect: allow}
  - {id: prompts, match: {tool: "*__prompts:get"}, effect: allow}
"""


class Desk:
    """A person with a workspace of their own, and what is needed to put a proxy before servers."""

    def __init__(self, embedded: Embedded) -> None:
        self.bridge = EmbeddedBridge(embedded)
        account = Registration(email=f"{uuid4()}@example.org", name="Ana", password=PASSWORD)
        with MutxClient(EMBEDDED_URL, transport=self.bridge.borrowed()) as stranger:
            made = stranger.auth.register(account)
        self._tokens = TokenPair(made.access_token, made.refresh_token)
        self._door = PersonalDoor(embedded, made.access_token)
        self.operator = MutxClient(EMBEDDED_URL, tokens=MemoryTokens(self._tokens), transport=self.bridge.borrowed())
        self.operator.policies.put("mcp", PolicyWrite(name="mcp", document=POLICY))
        self._numbers = count(1)

    def name(self) -> str:
        """A server's name that no other test uses."""
        return f"desk{next(self._numbers)}"

    def sdk(self) -> MutxAsyncClient:
        return MutxAsyncClient(EMBEDDED_URL, tokens=MemoryTokens(self._tokens), transport=self.bridge.borrowed())

    def line(self, **given: Any) -> Line:
        return Line(**{"transport": self._door, "agent_id": AGENT, "session_id": f"s-{self.name()}", **given})

    @asynccontextmanager
    async def proxy(
        self,
        servers: dict[str, Any],
        *,
        specs: dict[str, ServerSpec] | None = None,
        mode: str = "legacy",
        approves: bool = False,
        line: dict[str, Any] | None = None,
        rules: ProxyRules | None = None,
        **client: Any,
    ) -> AsyncIterator[Client]:
        """A client of a proxy before `servers`: name -> MCPServer, or a factory of transports."""
        async with AsyncExitStack() as stack:
            sdk = await stack.enter_async_context(self.sdk())
            known = {
                name: ((specs or {}).get(name) or ServerSpec(url="http://in.memory"), transport_of(server))
                for name, server in servers.items()
            }
            approver = SdkApprover(sdk) if approves else None
            session = ProxySession(
                self.line(**(line or {})), known, SdkBoard(sdk), PatternScanner(), rules or ProxyRules(), approver
            )
            stack.push_async_callback(session.close)
            proxy = McpProxy(OneSession(session))
            made = await stack.enter_async_context(Client(proxy.server, mode=mode, cache=None, **client))
            yield made

    def turns(self, session_id: str) -> list[Any]:
        """The session's receipts, oldest first."""
        return self.operator.security.session_receipts(session_id).receipts


class PersonalDoor(Transport):
    """The embedded control plane's verbs, for an agent of one person."""

    def __init__(self, embedded: Embedded, token: str) -> None:
        self._embedded = embedded
        plane = embedded._plane
        person = embedded.run(plane.identities.authenticate(token))
        self._caller = replace(person, kind=PrincipalKind.AGENT, roles=(), scopes=AGENT_SCOPES, door=Door.EMBEDDED)
        self._verbs = plane.verbs

    def call(self, verb: str, body: Json) -> Json:
        try:
            return self._embedded.run(self._verbs.call(verb, body, self._caller))
        except MutxError as error:
            raise DoorRefused(error.code, str(error), error.details) from error


def transport_of(server: Any) -> Callable[[], Any]:
    return (lambda: InMemoryTransport(server)) if isinstance(server, MCPServer | Server) else server


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    home: Path = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("RATE_LIMIT_REQUESTS", "AUTH_RATE_LIMIT_REQUESTS"):
            environment.setenv(name, "100000")
        embedded = create(str(home / "home"))
    with embedded:
        yield embedded


@pytest.fixture
def desk(embedded: Embedded) -> Desk:
    return Desk(embedded)


def text_of(result: Any) -> str:
    return "\n".join(item.text for item in result.content if item.type == "text")


async def until(ready: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `ready` gives once it gives anything."""

    def look() -> Any:
        end = time.monotonic() + seconds
        while not (found := ready()):
            assert time.monotonic() < end
            time.sleep(0.02)
        return found

    return await asyncio.to_thread(look)
