"""What one server offers: its tools as it lists them, and where each definition stands at the control plane."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mcp.types import Tool

from mutx.contract.mcp import McpCheck, McpObservation, ObservedTool, PinState, ToolStanding
from mutx.kit.errors import TimedOut
from mutx.services.mcp.board import ToolBoard
from mutx.services.mcp.definitions import definition_of, size_of
from mutx.services.mcp.upstream import Upstream, UpstreamGone

MAX_TOOLS = 1000
"""Of one server; what it lists beyond is not offered."""
MAX_PAGES = 100
LIST_SECONDS = 60.0
FRESH_SECONDS = 30.0
"""For this long a listing is taken for what the server offers, unless it says that it changed."""
CHECKED_SECONDS = 2.0
"""For this long the control plane's word that a definition is in use is good."""
BATCH = 100
BATCH_BYTES = 400_000


class OfferedTool(NamedTuple):
    """One tool under its name at the proxy."""

    server: str
    tool: Tool
    standing: ToolStanding

    @property
    def name(self) -> str:
        return self.standing.qualified_name

    @property
    def listed(self) -> bool:
        return self.standing.state is PinState.PINNED and self.standing.allowed

    def shown(self) -> Tool:
        """As the client sees it: under its qualified name, and without what was not pinned."""
        return self.tool.model_copy(update={"name": self.name, "meta": None, "icons": None})


class Catalogue:
    """The tools of one server for one agent."""

    def __init__(self, server: str, upstream: Upstream, board: ToolBoard, agent_id: str) -> None:
        self._server = server
        self._upstream = upstream
        self._board = board
        self._agent_id = agent_id
        self._entries: dict[str, OfferedTool] = {}
        self._listed_at: float | None = None
        self._checked: dict[str, float] = {}
        self._listing = asyncio.Lock()

    def stale(self) -> None:
        """The server says that its tools changed: ask it again before anything is listed or called."""
        self._listed_at = None

    async def entries(self, *, fresh: bool = False) -> Sequence[OfferedTool]:
        """Every tool, also what is held back. `fresh`: as of now. Raises UpstreamGone, TimedOut, MCPError, MutxError."""
        async with self._listing:
            if fresh or self._listed_at is None or time.monotonic() - self._listed_at > FRESH_SECONDS:
                at = time.monotonic()
                self._entries = {entry.tool.name: entry for entry in await self._observed(await self._tools())}
                self._listed_at = at
                self._checked.clear()
            return list(self._entries.values())

    async def find(self, tool: str) -> OfferedTool | None:
        """By the server's own name for it. Raises as `entries`."""
        return next((entry for entry in await self.entries() if entry.tool.name == tool), None)

    async def why_not(self, entry: OfferedTool, session_id: str) -> list[str]:
        """Why this definition may not be called now; empty if it may. Raises MutxError."""
        digest, now = entry.standing.digest, time.monotonic()
        if now - self._checked.get(digest, -CHECKED_SECONDS) < CHECKED_SECONDS:
            return []
        verdict = await self._board.check(
            McpCheck(
                server=self._server,
                tool=entry.tool.name,
                digest=digest,
                agent_id=self._agent_id,
                session_id=session_id,
            )
        )
        if verdict.callable:
            self._checked[digest] = now
            return []
        return verdict.reasons or [f"it is {verdict.state.value}"]

    async def _tools(self) -> list[Tool]:
        """All pages. The session keeps of them what later calls need in their headers."""
        found: list[Tool] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(LIST_SECONDS):
                for _ in range(MAX_PAGES):
                    page = await self._upstream.list_tools(cursor)
                    found += page.tools
                    cursor = page.next_cursor
                    if not cursor or len(found) >= MAX_TOOLS:
                        break
        except (TimeoutError, TimedOut):
            message = f"the MCP server {self._server} did not list its tools within {LIST_SECONDS:g} s"
            raise UpstreamGone(message, sent=True) from None
        return found[:MAX_TOOLS]

    async def _observed(self, tools: Sequence[Tool]) -> list[OfferedTool]:
        found: list[OfferedTool] = []
        for batch in _batches(tools):
            seen = McpObservation(
                server=self._server, tools=[observed for _, observed in batch], agent_id=self._agent_id
            )
            standings = (await self._board.observe(seen)).tools
            found += [OfferedTool(self._server, tool, at) for (tool, _), at in zip(batch, standings, strict=True)]
        return found


def _observed(tool: Tool) -> ObservedTool:
    fields: dict[str, Any] = {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
        "annotations": tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else None,
    }
    return ObservedTool(**definition_of(fields))


def _batches(tools: Sequence[Tool]) -> Iterator[list[tuple[Tool, ObservedTool]]]:
    """As many as one request may hold."""
    batch: list[tuple[Tool, ObservedTool]] = []
    size = 0
    for tool in tools:
        observed = _observed(tool)
        length = size_of(observed.model_dump(exclude_none=True))
        if length > BATCH_BYTES:
            continue  # no control plane takes it, so it is not offered
        if batch and (len(batch) >= BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((tool, observed))
        size += length
    if batch:
        yield batch
