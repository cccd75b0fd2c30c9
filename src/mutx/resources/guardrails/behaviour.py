"""How agents behave, for whoever asks or reports."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.guardrails import GuardrailAnomaly, GuardrailBehaviour, GuardrailObservation
from mutx.governance.types import Caller
from mutx.kit.clock import Clock
from mutx.resources.agents.models import AgentRow
from mutx.resources.agents.ownership import managed, owned
from mutx.resources.guardrails.counts import AgentCounts, some
from mutx.resources.guardrails.models import GuardrailMinuteRow, GuardrailNormRow
from mutx.services.evalview import anomaly
from mutx.services.evalview.anomaly import Anomaly, Response
from mutx.web.news import tell_audit


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
        self._counts = AgentCounts(session, self._now)

    async def asked(self, agent_id: str, *, limit: int, output: int | None) -> Seen:
        """Count a request; `output`: characters of what the agent said. Raises NotFound."""
        agent = await owned(self._session, self._caller, agent_id)
        norm = await self._counts.norm(agent)
        minute = await self._counts.this_minute(agent)
        minute.requests += 1
        found = [anomaly.velocity(await self._counts.within_a_minute(minute), limit)]
        if output is not None:
            found.append(anomaly.output_length(output, norm.output_norm, norm.outputs))
            norm.output_norm = anomaly.next_norm(norm.output_norm, norm.outputs, output)
            norm.outputs += 1
        return Seen(norm.agent_id, minute.requests, agent.paused_since is not None, some(found))

    async def observed(self, report: GuardrailObservation) -> tuple[GuardrailBehaviour, bool]:
        """Count how a request ended and what it used. And whether the agent is paused from now on. Raises NotFound."""
        agent = await owned(self._session, self._caller, report.agent_id)
        before = agent.paused_since
        tools = {report.tool: 1} if report.tool else {}
        _, anomalies = await self._counts.add(agent, ended=1, failures=int(report.failed), tools=tools)
        return await self._shown(agent, anomalies), agent.paused_since != before

    async def of(self, agent_id: str) -> GuardrailBehaviour:
        """Raises NotFound."""
        agent = await owned(self._session, self._caller, agent_id)
        norm = await self._session.get(GuardrailNormRow, agent.id)
        if norm is None:
            return GuardrailBehaviour(agent_id=UUID(agent.id), requests=0, paused=False, anomalies=[])
        drifted = anomaly.drift(norm.past, norm.recent)
        return await self._shown(agent, some([await self._counts.errors(agent.id), drifted]))

    async def resume(self, agent_id: str) -> GuardrailBehaviour:
        """For whoever may manage the agent. Raises NotFound, PermissionDenied."""
        agent = await managed(self._session, self._caller, agent_id)
        await self._counts.norm(agent)
        if agent.paused_since is not None:
            agent.paused_since = None
            await tell_audit(self._session, self._caller, self._now, "AGENT_RESUMED", agent_id=agent.id)
        await self._session.execute(delete(GuardrailMinuteRow).where(GuardrailMinuteRow.agent_id == agent.id))
        return await self._shown(agent, ())

    async def _shown(self, agent: AgentRow, anomalies: Sequence[Anomaly]) -> GuardrailBehaviour:
        await self._session.flush()
        minute = await self._session.get(GuardrailMinuteRow, (agent.id, self._counts.minute))
        return GuardrailBehaviour(
            agent_id=UUID(agent.id),
            requests=0 if minute is None else await self._counts.within_a_minute(minute),
            paused=agent.paused_since is not None,
            paused_since=agent.paused_since,
            anomalies=[shown(one) for one in anomalies],
        )


def shown(one: Anomaly) -> GuardrailAnomaly:
    return GuardrailAnomaly(kind=one.kind, action=one.response, value=round(one.value, 4), limit=round(one.limit, 4))
