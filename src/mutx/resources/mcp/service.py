"""What people do with the definitions that were seen: look at them, approve them, hold them back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.mcp import McpToolDetail, PinState
from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import NotFound, PermissionDenied
from mutx.resources.mcp.models import McpToolRow
from mutx.services.mcp.definitions import qualified
from mutx.services.mcp.schemas import declaration
from mutx.web.news import tell_audit

MAX_DECLARED = 10_000
BY_HAND = "put in quarantine by a person"


class McpTools:
    """Those of the caller's workspace."""

    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = clock.now()

    async def page(
        self, state: PinState | None, server: str | None, skip: int, limit: int
    ) -> tuple[Sequence[McpToolRow], int]:
        """What waits for a person first, then by server and tool."""
        query = self._mine()
        if state is not None:
            query = query.where(McpToolRow.state == state)
        if server is not None:
            query = query.where(McpToolRow.server == server)
        total = await self._session.scalar(select(func.count()).select_from(query.subquery())) or 0
        waiting = case((McpToolRow.state == PinState.QUARANTINED, 0), else_=1)
        ordered = query.order_by(waiting, McpToolRow.server, McpToolRow.tool, McpToolRow.id)
        return (await self._session.scalars(ordered.offset(skip).limit(limit))).all(), total

    async def get(self, tool_id: UUID) -> McpToolDetail:
        row = await self._found(tool_id)
        others = await self._others(row, PinState.PINNED)
        return _detail(row, others[0].definition if others else None)

    async def approve(self, tool_id: UUID) -> McpToolDetail:
        """Raises NotFound, PermissionDenied."""
        row = await self._found(tool_id)
        self._require_person("approves")
        replaced = await self._others(row, PinState.PINNED)
        for other in replaced:
            other.state = PinState.RETIRED
        await self._decide(row, PinState.PINNED, [], "MCP_TOOL_APPROVED")
        return _detail(row, None)

    async def quarantine(self, tool_id: UUID) -> McpToolDetail:
        """Raises NotFound, PermissionDenied."""
        row = await self._found(tool_id)
        self._require_person("quarantines")
        await self._decide(row, PinState.QUARANTINED, [BY_HAND], "MCP_TOOL_QUARANTINED")
        return _detail(row, None)

    async def schemas(self, server: str | None) -> str:
        """A PolicySet of declarations, without a rule: applied as it is, it allows nothing."""
        query = self._mine().where(McpToolRow.state == PinState.PINNED)
        if server is not None:
            query = query.where(McpToolRow.server == server)
        rows = await self._session.scalars(query.order_by(McpToolRow.server, McpToolRow.tool).limit(MAX_DECLARED))
        tools = [declaration(qualified(row.server, row.tool), row.definition) for row in rows]
        document: dict[str, Any] = {
            "name": f"mcp-{server}" if server else "mcp-tools",
            "default": "deny",
            "tools": tools,
        }
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)

    async def _decide(self, row: McpToolRow, state: PinState, reasons: list[str], told: str) -> None:
        row.state, row.reasons = state, reasons
        row.decided_by, row.decided_at = self._caller.principal_id, to_datetime(self._now)
        await self._session.flush()
        about = {"tool_id": row.id, "server": row.server, "tool": row.tool, "digest": row.digest}
        await tell_audit(self._session, self._caller, self._now, told, **about)

    def _require_person(self, what: str) -> None:
        if self._caller.kind is not PrincipalKind.PERSON:
            raise PermissionDenied(f"a person {what} definitions of tools; sign in with `mutx login`")

    async def _others(self, row: McpToolRow, state: PinState) -> Sequence[McpToolRow]:
        query = self._mine().where(
            McpToolRow.server == row.server,
            McpToolRow.tool == row.tool,
            McpToolRow.state == state,
            McpToolRow.id != row.id,
        )
        return (await self._session.scalars(query)).all()

    async def _found(self, tool_id: UUID) -> McpToolRow:
        row = await self._session.scalar(self._mine().where(McpToolRow.id == str(tool_id)))
        if row is None:
            raise NotFound(f"no MCP tool {tool_id}; `mutx mcp tools` shows them")
        return row

    def _mine(self) -> Select[McpToolRow]:
        return select(McpToolRow).where(McpToolRow.workspace_id == self._caller.workspace_id)


def _detail(row: McpToolRow, replaces: dict[str, Any] | None) -> McpToolDetail:
    found = McpToolDetail.model_validate(row)
    return found.model_copy(update={"replaces": replaces})
