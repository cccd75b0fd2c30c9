"""How agents behave, counted in the database: all replicas see the same agent."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.guardrails import GuardrailAnomaly, GuardrailBehaviour, GuardrailObservation
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.resources.agents.commands import PENDING
from mutx.resources.agents.models import AgentCommandRow, AgentRow
from mutx.resources.agents.ownership import managed, owned
from mutx.resources.guardrails.models import GuardrailMinuteRow, GuardrailNormRow
from mutx.services.evalview import anomaly
from mutx.services.evalview.anomaly import Anomaly, Response

RECENT = 50
"""Uses that make the recent part of an agent's behaviour; then they join its past."""
KEPT_MINUTES = 60
PAUSE = "pause"
"""The command that a paused agent is sent."""


class Seen(Struct, frozen=True):
    """What one request of an agent came to."""

    agent_id: str
    requests: int
    paused: bool
    anomalies: tuple[Anomaly, ...]

    @property
    def slowed(self) -> bool:
        return any(one.response is Response.RATE_LIMIT for one in self.anomalies)


class Behaviour:
    """For one caller, in one unit of work."""

    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = clock.now()
        self._minute = int(self._now // anomaly.MINUTE)

    async def asked(self, agent_id: str, *, limit: int, output: int | None) -> Seen:
        """Count a request; `output`: characters of what the agent said. Raises NotFound."""
        norm = await self._norm(await owned(self._session, self._caller, agent_id))
        minute = await self._counted(norm)
        minute.requests += 1
        found = [anomaly.velocity(await self._within_a_minute(minute), limit)]
        if output is not None:
            found.append(anomaly.output_length(output, norm.output_norm, norm.outputs))
            norm.output_norm = anomaly.next_norm(norm.output_norm, norm.outputs, output)
            norm.outputs += 1
        return Seen(norm.agent_id, minute.requests, norm.paused_since is not None, _some(found))

    async def observed(self, report: GuardrailObservation) -> GuardrailBehaviour:
        """Count how a request ended and what it used; pause the agent that fails too often. Raises NotFound."""
        agent = await owned(self._session, self._caller, report.agent_id)
        norm = await self._norm(agent)
        minute = await self._counted(norm)
        minute.ended += 1
        minute.failures += report.failed
        found: list[Anomaly | None] = [await self._errors(norm.agent_id)]
        if report.tool:
            norm.recent = anomaly.counted(norm.recent, report.tool)
            found.append(anomaly.drift(norm.past, norm.recent))
            if sum(norm.recent.values()) >= RECENT:
                norm.past = _merged(norm.past, norm.recent)
                norm.recent = {}
        anomalies = _some(found)
        if norm.paused_since is None and any(one.response is Response.PAUSE for one in anomalies):
            norm.paused_since = to_datetime(self._now)
            self._command(agent)
        return await self._shown(norm, anomalies)

    async def of(self, agent_id: str) -> GuardrailBehaviour:
        """Raises NotFound."""
        agent = await owned(self._session, self._caller, agent_id)
        norm = await self._session.get(GuardrailNormRow, agent.id)
        if norm is None:
            return GuardrailBehaviour(agent_id=UUID(agent.id), requests=0, paused=False, anomalies=[])
        drifted = anomaly.drift(norm.past, norm.recent)
        return await self._shown(norm, _some([await self._errors(agent.id), drifted]))

    async def resume(self, agent_id: str) -> GuardrailBehaviour:
        """For whoever may manage the agent. Raises NotFound, PermissionDenied."""
        norm = await self._norm(await managed(self._session, self._caller, agent_id))
        norm.paused_since = None
        await self._session.execute(delete(GuardrailMinuteRow).where(GuardrailMinuteRow.agent_id == norm.agent_id))
        return await self._shown(norm, ())

    async def _norm(self, agent: AgentRow) -> GuardrailNormRow:
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

    async def _counted(self, norm: GuardrailNormRow) -> GuardrailMinuteRow:
        agent_id = norm.agent_id
        row = await self._session.get(GuardrailMinuteRow, (agent_id, self._minute), populate_existing=True)
        if row is None:
            old = GuardrailMinuteRow.minute < self._minute - KEPT_MINUTES
            await self._session.execute(delete(GuardrailMinuteRow).where(GuardrailMinuteRow.agent_id == agent_id, old))
            row = GuardrailMinuteRow(
                agent_id=agent_id,
                minute=self._minute,
                workspace_id=norm.workspace_id,
                requests=0,
                ended=0,
                failures=0,
            )
            self._session.add(row)
            await self._session.flush()
        return row

    async def _within_a_minute(self, minute: GuardrailMinuteRow) -> int:
        """This minute's, and of the last one the share that lies within 60 seconds."""
        before = await self._session.get(GuardrailMinuteRow, (minute.agent_id, minute.minute - 1))
        if before is None:
            return minute.requests
        share = 1 - (self._now / anomaly.MINUTE - minute.minute)
        return minute.requests + int(before.requests * share)

    async def _errors(self, agent_id: str) -> Anomaly | None:
        rows = select(func.sum(GuardrailMinuteRow.ended), func.sum(GuardrailMinuteRow.failures)).where(
            GuardrailMinuteRow.agent_id == agent_id,
            GuardrailMinuteRow.minute > self._minute - anomaly.ERROR_MINUTES,
        )
        ended, failures = (await self._session.execute(rows)).one()
        return anomaly.error_rate(int(ended or 0), int(failures or 0))

    def _command(self, agent: AgentRow) -> None:
        """Tell the agent, which fetches its commands."""
        self._session.add(
            AgentCommandRow(
                workspace_id=agent.workspace_id,
                agent_id=agent.id,
                action=PAUSE,
                parameters={"reason": anomaly.Anomalous.ERRORS.value},
                status=PENDING,
                created_at=to_datetime(self._now),
            )
        )

    async def _shown(self, norm: GuardrailNormRow, anomalies: Sequence[Anomaly]) -> GuardrailBehaviour:
        await self._session.flush()
        minute = await self._session.get(GuardrailMinuteRow, (norm.agent_id, self._minute))
        return GuardrailBehaviour(
            agent_id=UUID(norm.agent_id),
            requests=0 if minute is None else await self._within_a_minute(minute),
            paused=norm.paused_since is not None,
            paused_since=norm.paused_since,
            anomalies=[shown(one) for one in anomalies],
        )


def shown(one: Anomaly) -> GuardrailAnomaly:
    return GuardrailAnomaly(kind=one.kind, action=one.response, value=round(one.value, 4), limit=round(one.limit, 4))


def _some(found: Iterable[Anomaly | None]) -> tuple[Anomaly, ...]:
    return tuple(one for one in found if one is not None)


def _merged(past: dict[str, int], recent: dict[str, int]) -> dict[str, int]:
    """The past forgets half of itself whenever recent uses join it, so that behaviour may change slowly."""
    merged = {tool: uses // 2 for tool, uses in past.items() if uses > 1} if sum(past.values()) > 4 * RECENT else past
    return {tool: merged.get(tool, 0) + recent.get(tool, 0) for tool in {*merged, *recent}}
