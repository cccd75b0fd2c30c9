"""One client's session at the proxy: its line to the control plane, its own connections to the servers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ServerEvent, ToolsListChanged
from msgspec import Struct

from mutx.contract.guardrails import GuardrailResultQuestion, GuardrailResultVerdict
from mutx.kit.errors import MutxError
from mutx.services.mcp.board import Approver, ToolBoard
from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.definitions import SEPARATOR
from mutx.services.mcp.governed import Asked, Effect, Line, RanRequest, govern
from mutx.services.mcp.listing import Catalogue, OfferedTool
from mutx.services.mcp.relay import Context, Relay, ask_to_wait
from mutx.services.mcp.results import OnSuspicion
from mutx.services.mcp.scanning import TextScanner
from mutx.services.mcp.telling import ClientChanges
from mutx.services.mcp.upstream import Transport, Upstream, UpstreamGone
from mutx_agent.transport.base import Json

log = structlog.stdlib.get_logger("mutx.mcp")

REMIND_SECONDS = 10.0
"""Between signs of life while an action waits for a person."""


class ProxyRules(Struct, frozen=True, kw_only=True):
    """What whoever runs the proxy chose."""

    call_seconds: float = 300.0
    """For a server to answer one call."""
    on_suspicion: OnSuspicion = OnSuspicion.FLAG
    profile: str = "permissive"
    """Of the guardrails, for results."""


class ServerLink(Struct, frozen=True):
    """One server of one session."""

    upstream: Upstream
    relay: Relay
    catalogue: Catalogue


class ProxySession:
    """Every server gets a connection of this session's own, so that no client sees another's state there."""

    def __init__(
        self,
        line: Line,
        servers: Mapping[str, tuple[ServerSpec, Callable[[], Transport]]],
        board: ToolBoard,
        scanner: TextScanner,
        rules: ProxyRules,
        approver: Approver | None = None,
    ) -> None:
        self.line = line
        self.scanner = scanner
        self.rules = rules
        self._approver = approver
        self._board = board
        self._links: dict[str, ServerLink] = {}
        self._last_ctx: Context | None = None
        self._running = 0
        self.changes = ClientChanges()
        for name, (spec, transport) in servers.items():
            relay = Relay(name, spec, self)
            upstream = Upstream(name, transport, relay.connect)
            self._links[name] = ServerLink(upstream, relay, Catalogue(name, upstream, board, line.agent_id))

    @property
    def links(self) -> Mapping[str, ServerLink]:
        return self._links

    @property
    def busy(self) -> bool:
        """Whether a request of this session waits or runs."""
        return self._running > 0

    def split(self, qualified: str) -> tuple[str, str] | None:
        """Server and its own name for the thing; None for a name that no server of ours can have."""
        server, _, name = qualified.partition(SEPARATOR)
        return (server, name) if name and server in self._links else None

    async def tools(self) -> list[OfferedTool]:
        """What all servers offer; one that cannot be reached is left out. Raises MutxError where the control plane fails."""
        found = await asyncio.gather(*(self._entries(name, link) for name, link in self._links.items()))
        return [entry for entries in found for entry in entries]

    async def run(self, ctx: Context, asked: Asked, effect: Effect) -> RanRequest:
        """One governed request. Raises ActionDenied, and what `effect` raises."""
        with self.kept():
            return await govern(self.line, asked, effect, lambda answer: self._waits(ctx, answer))

    async def look_at(self, given: GuardrailResultQuestion) -> GuardrailResultVerdict:
        """Raises MutxError."""
        return await self._board.look_at(given)

    def heard(self, ctx: Context) -> None:
        """The latest request, by whose connection the client is told of changes."""
        self._last_ctx = ctx

    @contextmanager
    def kept(self) -> Iterator[None]:
        """In use, though nothing of it may be asked for long."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    async def changed(self, server: str, event: ServerEvent) -> None:
        """The server says so: forget what it listed, and tell the client."""
        if isinstance(event, ToolsListChanged):
            self._links[server].catalogue.stale()
        await self.changes.heard(server, event, self._last_ctx)

    async def close(self) -> None:
        await asyncio.gather(*(link.upstream.close() for link in self._links.values()))

    async def _entries(self, name: str, link: ServerLink) -> Sequence[OfferedTool]:
        try:
            await link.upstream.session()
        except MutxError as error:
            log.warning("an MCP server is left out of the listing", server=name, error=str(error))
            return ()
        try:
            return await link.catalogue.entries()
        except (MCPError, UpstreamGone) as error:
            log.warning("an MCP server does not list its tools", server=name, error=str(error))
            return ()

    async def _waits(self, ctx: Context, answer: Json) -> bool:
        """Tell the client that a person is asked. False: it does not want to wait."""
        request = answer.get("approval") or {}
        request_id = request.get("request_id", "")
        said = (
            f"{answer.get('tool_name')} waits for a person: {answer.get('reason')}. "
            f"Answer with `mutx approve {request_id}` or `mutx deny {request_id}`."
        )
        reminding = asyncio.create_task(_remind(ctx, said))
        try:
            return await self._asked(ctx, said, request_id)
        finally:
            reminding.cancel()

    async def _asked(self, ctx: Context, said: str, request_id: str) -> bool:
        question = (
            f"{said} Accept to approve it yourself, decline to give the call up."
            if self._approver is not None
            else f"{said} Accept to wait, decline to give the call up."
        )
        try:
            accepted = await ask_to_wait(ctx, question)
            if accepted and self._approver is not None:
                await self._approver.approve(request_id)
        except (MCPError, MutxError) as error:
            log.info("the client was not asked", request_id=request_id, error=str(error))
            accepted = None
        if accepted is False:
            return False
        await asyncio.Event().wait()  # until the decision is there; reminders go on meanwhile
        return True


async def _remind(ctx: Context, said: str) -> None:
    """Progress without an end, so that clients which give up on silence do not."""
    count = 0
    while True:
        count += 1
        await ctx.session.report_progress(count / 1_000_000, None, said)
        await asyncio.sleep(REMIND_SECONDS)
