"""What is counted of agents, in the database: all replicas add to the same rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.clock import to_datetime
from mutx.resources.agents.commands import PENDING
from mutx.resources.agents.models import AgentCommandRow, AgentRow
from mutx.resources.guardrails.models import GuardrailMinuteRow, GuardrailNormRow
from mutx.services.evalview import anomaly
from mutx.services.evalview.anomaly import Anomalous, Anomaly, Response
from mutx.web.news import tell_audit

log = structlog.stdlib.get_logger("mutx.guardrails")

RECENT = 50
"""Uses that make the recent part of an agent's behaviour; then they join its past."""
KEPT_MINUTES = 60
PAUSE = "pause"
"""The command that a paused agent is sent."""
PAUSE_WAITS = timedelta(days=30)
"""For an agent that is away; meanwhile it is denied whatever it asks for."""
SYSTEM = "system"


class AgentCounts:
    """At one moment, in one unit of work. `now`: seconds."""

    def __init__(self, session: AsyncSession, now: float) -> None:
        self._session = session
        self._now = now
        self.minute = int(now // anomaly.MINUTE)

    @property
    def at(self) -> datetime:
        return to_datetime(self._now)

    async def norm(self, agent: AgentRow) -> GuardrailNormRow:
        """The agent's norm, locked until the unit of work ends: the agent's row keeps two firsts apart."""
        await self._session.execute(select(AgentRow.id).where(AgentRow.id == agent.id).with_for_update())
        row = await self._session.get(GuardrailNormRow, agent.id, populate_existing=True)
        if row is None:
            row = GuardrailNormRow(
                agent_id=agent.id, workspace_id=agent.workspace_id, outputs=0, output_norm=0.0, past={}, recent={}
            )
            self._session.add(row)
            await self._session.flush()
        return row

    async def this_minute(self, agent: AgentRow) -> GuardrailMinuteRow:
        """Of an agent whose norm is locked."""
        row = await self._session.get(GuardrailMinuteRow, (agent.id, self.minute), populate_existing=True)
        if row is None:
            old = GuardrailMinuteRow.minute < self.minute - KEPT_MINUTES
            await self._session.execute(delete(GuardrailMinuteRow).where(GuardrailMinuteRow.agent_id == agent.id, old))
            row = GuardrailMinuteRow(
                agent_id=agent.id,
                minute=self.minute,
                workspace_id=agent.workspace_id,
                requests=0,
                ended=0,
                failures=0,
            )
            self._session.add(row)
            await self._session.flush()
        return row

    async def within_a_minute(self, minute: GuardrailMinuteRow) -> int:
        """This minute's requests, and of the last one the share that lies within 60 seconds."""
        before = await self._session.get(GuardrailMinuteRow, (minute.agent_id, minute.minute - 1))
        if before is None:
            return minute.requests
        share = 1 - (self._now / anomaly.MINUTE - minute.minute)
        return minute.requests + int(before.requests * share)

    async def add(
        self, agent: AgentRow, *, ended: int, failures: int, tools: Mapping[str, int]
    ) -> tuple[GuardrailNormRow, tuple[Anomaly, ...]]:
        """Count how requests ended and what they used; pause the agent that fails too often."""
        norm = await self.norm(agent)
        minute = await self.this_minute(agent)
        minute.ended += ended
        minute.failures += failures
        found: list[Anomaly | None] = [await self.errors(agent.id)]
        if tools:
            found.append(self._used(norm, tools))
        anomalies = some(found)
        await self._respond(agent, norm, anomalies, judged=bool(tools))
        return norm, anomalies

    async def errors(self, agent_id: str) -> Anomaly | None:
        rows = select(func.sum(GuardrailMinuteRow.ended), func.sum(GuardrailMinuteRow.failures)).where(
            GuardrailMinuteRow.agent_id == agent_id,
            GuardrailMinuteRow.minute > self.minute - anomaly.ERROR_MINUTES,
        )
        ended, failures = (await self._session.execute(rows)).one()
        return anomaly.error_rate(int(ended or 0), int(failures or 0))

    def _used(self, norm: GuardrailNormRow, tools: Mapping[str, int]) -> Anomaly | None:
        for tool, uses in tools.items():
            norm.recent = anomaly.counted(norm.recent, tool, uses)
        found = anomaly.drift(norm.past, norm.recent)
        if sum(norm.recent.values()) >= RECENT:
            norm.past = _merged(norm.past, norm.recent)
            norm.recent = {}
        return found

    async def _respond(
        self, agent: AgentRow, norm: GuardrailNormRow, anomalies: Sequence[Anomaly], *, judged: bool
    ) -> None:
        """Each anomaly's documented action, once when it begins."""
        kinds = {one.kind: one for one in anomalies}
        if agent.paused_since is None and any(one.response is Response.PAUSE for one in anomalies):
            agent.paused_since = self.at
            self._command(agent)
            await self._tell(agent, "AGENT_PAUSED", kinds[Anomalous.ERRORS])
        if judged:
            drifted = kinds.get(Anomalous.DRIFT)
            if drifted is not None and norm.drifted_since is None:
                await self._tell(agent, "AGENT_DRIFTED", drifted)
            norm.drifted_since = (norm.drifted_since or self.at) if drifted is not None else None

    async def _tell(self, agent: AgentRow, what: str, why: Anomaly) -> None:
        log.warning(
            "an agent behaves unusually",
            what=what,
            agent=agent.id,
            workspace=agent.workspace_id,
            anomaly=why.kind.value,
        )
        caller = Caller(
            workspace_id=agent.workspace_id,
            principal_id=SYSTEM,
            kind=PrincipalKind.SYSTEM,
            door=Door.HTTP,
            user_id=agent.user_id,
        )
        about = {
            "agent_id": agent.id,
            "anomaly": why.kind.value,
            "value": f"{why.value:.3g}",
            "limit": f"{why.limit:g}",
        }
        await tell_audit(self._session, caller, self._now, what, **about)

    def _command(self, agent: AgentRow) -> None:
        """Tell the agent, which fetches its commands."""
        self._session.add(
            AgentCommandRow(
                workspace_id=agent.workspace_id,
                agent_id=agent.id,
                action=PAUSE,
                parameters={"reason": Anomalous.ERRORS.value},
                status=PENDING,
                created_at=self.at,
                expires_at=self.at + PAUSE_WAITS,
            )
        )


def some(found: Iterable[Anomaly | None]) -> tuple[Anomaly, ...]:
    return tuple(one for one in found if one is not None)


def _merged(past: Mapping[str, int], recent: Mapping[str, int]) -> dict[str, int]:
    """The past forgets half of itself whenever recent uses join it, so that behaviour may change slowly."""
    kept = {tool: uses // 2 for tool, uses in past.items() if uses > 1} if sum(past.values()) > 4 * RECENT else past
    return {tool: kept.get(tool, 0) + recent.get(tool, 0) for tool in {*kept, *recent}}
