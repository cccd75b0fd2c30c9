"""What the proxy is told: which tools may be listed and called, and why the others may not."""

from mutx.contract.mcp import McpCheck, McpObservation, McpStandings, McpVerdict, PinState, ToolStanding
from mutx.governance.limits import forbidden
from mutx.governance.own_agent import require_own_agent
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.reach import denied_outright
from mutx.governance.ports import Policies
from mutx.governance.types import Caller, LimitedVerb
from mutx.resources.mcp.models import McpToolRow
from mutx.resources.mcp.watching import Sightings
from mutx.services.mcp.definitions import qualified

UNKNOWN = "this definition was never observed; list the server's tools first"


class Standings:
    """For one caller: an agent's key asks for that agent only."""

    def __init__(self, sightings: Sightings, policies: Policies, caller: Caller) -> None:
        self._sightings = sightings
        self._policies = policies
        self._caller = caller

    async def observe(self, seen: McpObservation) -> McpStandings:
        """Raises PermissionDenied, Conflict."""
        agent = self._agent(seen.agent_id)
        engine = self._policies.current(self._caller.workspace_id)
        engine = engine or await self._policies.load(self._caller.workspace_id)
        rows = await self._sightings.observe(seen)
        return McpStandings(tools=[self._standing(row, engine, agent) for row in rows])

    async def check(self, wanted: McpCheck) -> McpVerdict:
        """Raises PermissionDenied."""
        agent = self._agent(wanted.agent_id)
        row = await self._sightings.find(wanted.server, wanted.tool, wanted.digest)
        state = PinState(row.state) if row is not None else PinState.QUARANTINED
        reasons = [UNKNOWN] if row is None else row.reasons
        if state is not PinState.PINNED:
            about = {"server": wanted.server, "tool": wanted.tool, "digest": wanted.digest, "agent_id": agent}
            about |= {"session_id": wanted.session_id or "", "state": state.value, "reasons": "; ".join(reasons)}
            await self._sightings.refused(about)
        return McpVerdict(callable=state is PinState.PINNED, state=state, reasons=reasons)

    def _standing(self, row: McpToolRow, engine: PolicyEngine, agent: str) -> ToolStanding:
        name = qualified(row.server, row.tool)
        denied = self._denied(engine, name, agent) if agent else None
        return ToolStanding(
            tool_id=row.id,
            tool=row.tool,
            qualified_name=name,
            digest=row.digest,
            state=PinState(row.state),
            reasons=row.reasons,
            allowed=denied is None,
            denied_by=denied or "",
        )

    def _denied(self, engine: PolicyEngine, name: str, agent: str) -> str | None:
        if forbidden(self._caller.limits, LimitedVerb.ACT, agent, name) is not None:
            return "a permission of the workspace forbids it"
        return denied_outright(engine.snapshot, name, agent)

    def _agent(self, named: str | None) -> str:
        """Whom policies are asked for; empty: nobody in particular, and nothing is left out."""
        require_own_agent(self._caller, named)
        return named or self._caller.agent_id or ""
