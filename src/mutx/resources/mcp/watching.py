"""What the proxy sees of servers: each definition is pinned when it is first seen, or held back with the reasons."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.mcp import McpObservation, ObservedTool, PinState
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict
from mutx.kit.ids import new_id
from mutx.resources.mcp.models import McpToolRow
from mutx.services.mcp.definitions import Json, definition_of, digest_of
from mutx.services.mcp.pins import KnownTool, concerns
from mutx.services.mcp.scanning import TextScanner
from mutx.storage.engine import Database
from mutx.web.news import tell_audit

MAX_DEFINITIONS = 20_000
"""Of one workspace: whoever may observe may not fill the disk."""
SEEN_EVERY = timedelta(hours=1)
"""How exactly it is kept when a definition was last seen."""
TWICE = "its server lists two tools of this name"
BACK = "an earlier definition is back, which another one has replaced"


class Sightings:
    """One caller's workspace."""

    def __init__(self, database: Database, clock: Clock, caller: Caller, scanner: TextScanner) -> None:
        self._database = database
        self._clock = clock
        self._caller = caller
        self._scanner = scanner

    async def observe(self, seen: McpObservation) -> list[McpToolRow]:
        """The row of each observed definition, in order. Raises Conflict."""
        definitions = [_definition(tool) for tool in seen.tools]
        digests = [digest_of(definition) for definition in definitions]
        twice = {tool for tool, count in Counter(tool.name for tool in seen.tools).items() if count > 1}
        now = to_datetime(self._clock.now())
        async with self._database.read() as session:
            rows = await self._rows(session, seen.server, digests)
            known = await self._known(session)
        if stale := _stale(rows.values(), now, twice):
            await self._note([row.id for row in stale], now, twice)
        if missing := [one for one in zip(definitions, digests, strict=True) if one[1] not in rows]:
            await self._add(seen.server, {digest: one for one, digest in missing}, known, twice, now)
        if stale or missing:
            async with self._database.read() as session:
                rows = await self._rows(session, seen.server, digests)
        return [rows[digest] for digest in digests]

    async def find(self, server: str, tool: str, digest: str) -> McpToolRow | None:
        query = self._mine().where(McpToolRow.server == server, McpToolRow.tool == tool, McpToolRow.digest == digest)
        async with self._database.read() as session:
            return (await session.scalars(query)).one_or_none()

    async def refused(self, about: Mapping[str, str]) -> None:
        """Tell the audit log of a call that was not let through."""
        async with self._database.write() as session:
            await tell_audit(session, self._caller, self._clock.now(), "MCP_TOOL_REFUSED", **about)

    async def _rows(self, session: AsyncSession, server: str, digests: Sequence[str]) -> dict[str, McpToolRow]:
        query = self._mine().where(McpToolRow.server == server, McpToolRow.digest.in_(set(digests)))
        return {row.digest: row for row in await session.scalars(query)}

    async def _known(self, session: AsyncSession) -> list[KnownTool]:
        """Names that are taken. A tool that was only ever held back takes no other's name away."""
        query = (
            select(McpToolRow.server, McpToolRow.tool)
            .where(
                McpToolRow.workspace_id == self._caller.workspace_id,
                (McpToolRow.state != PinState.QUARANTINED) | McpToolRow.decided_at.is_not(None),
            )
            .distinct()
        )
        return [KnownTool(server, tool) for server, tool in await session.execute(query)]

    async def _note(self, ids: Sequence[str], now: datetime, twice: set[str]) -> None:
        """Seen again: a retired definition is held back from now on, and so is one of two with the same name."""
        async with self._database.write() as session:
            for row in await session.scalars(self._mine().where(McpToolRow.id.in_(ids))):
                row.last_seen_at = now
                reason = TWICE if row.tool in twice else BACK if row.state == PinState.RETIRED else None
                if reason is not None and row.state != PinState.QUARANTINED:
                    row.state, row.reasons = PinState.QUARANTINED, [reason]
                    await self._tell(session, row)

    async def _add(
        self, server: str, missing: Mapping[str, Json], known: Sequence[KnownTool], twice: set[str], now: datetime
    ) -> None:
        taken = [*known]
        values = []
        for digest, definition in missing.items():
            name = definition["name"]
            reasons = concerns(server, definition, taken, self._scanner)
            reasons = [TWICE, *reasons] if name in twice else reasons
            values.append(self._values(server, digest, definition, reasons, now))
            if not reasons:
                taken.append(KnownTool(server, name))
        async with self._database.write() as session:
            await self._refuse_too_many(session, len(values))
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            for value in values:
                # Two proxies may see the same server for the first time at once: the first one's word stands.
                done = await session.execute(insert(McpToolRow).values(value).on_conflict_do_nothing())
                if done.rowcount and value["state"] == PinState.QUARANTINED:  # type: ignore[attr-defined]
                    await self._tell(session, McpToolRow(**value))

    def _values(self, server: str, digest: str, definition: Json, reasons: list[str], now: datetime) -> dict[str, Any]:
        return {
            "id": new_id(),
            "workspace_id": self._caller.workspace_id,
            "server": server,
            "tool": definition["name"],
            "digest": digest,
            "state": PinState.QUARANTINED.value if reasons else PinState.PINNED.value,
            "reasons": reasons,
            "definition": definition,
            "first_seen_at": now,
            "last_seen_at": now,
        }

    async def _refuse_too_many(self, session: AsyncSession, more: int) -> None:
        count = select(func.count()).where(McpToolRow.workspace_id == self._caller.workspace_id)
        if (await session.scalar(count) or 0) + more > MAX_DEFINITIONS:
            raise Conflict(f"this workspace knows {MAX_DEFINITIONS} definitions of MCP tools already; ask its operator")

    def _mine(self) -> Select[McpToolRow]:
        return select(McpToolRow).where(McpToolRow.workspace_id == self._caller.workspace_id)

    async def _tell(self, session: AsyncSession, row: McpToolRow) -> None:
        about = {"server": row.server, "tool": row.tool, "digest": row.digest, "reasons": "; ".join(row.reasons)}
        await tell_audit(session, self._caller, self._clock.now(), "MCP_TOOL_QUARANTINED", **about)


def _definition(tool: ObservedTool) -> Json:
    return definition_of(tool.model_dump())


def _stale(rows: Iterable[McpToolRow], now: datetime, twice: set[str]) -> list[McpToolRow]:
    return [
        row
        for row in rows
        if now - row.last_seen_at >= SEEN_EVERY
        or row.state == PinState.RETIRED
        or (row.tool in twice and row.state == PinState.PINNED)
    ]
