"""Beside requests: what turns told of agents is stored, and who is paused is known in every process."""

from collections.abc import Iterable
from functools import partial
from itertools import islice

from sqlalchemy import select

from mutx.kit.clock import Clock
from mutx.kit.errors import MutxError
from mutx.resources.agents.models import AgentRow
from mutx.resources.guardrails.counts import AgentCounts
from mutx.services.evalview.watch import AgentCount, AgentKey, AgentWatch
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database
from mutx.storage.looks import Looks

PAUSES = "pauses"
"""The topic on which replicas hear that somebody was paused or resumed."""
LOOK_SECONDS = 0.5
"""Between looks at the store when nobody says anything."""
BATCH = 200
"""Agents in one unit of work."""


async def store_counts(database: Database, watch: AgentWatch, bus: Bus, clock: Clock) -> None:
    """Add what this process counted since it last did. Agents that nobody registered have no norm and are left out."""
    counts = watch.take()
    while counts:
        batch = dict(islice(counts.items(), BATCH))
        try:
            paused = await _store(database, batch, clock.now())
        except MutxError:
            watch.give_back(counts)
            raise
        for key in batch:
            del counts[key]
        if paused:
            await refresh_pauses(database, watch)
            bus.publish(PAUSES, {})


async def _store(database: Database, batch: dict[AgentKey, AgentCount], now: float) -> bool:
    """Whether somebody is paused from now on."""
    known = await _registered(database, batch)
    if not known:
        return False
    paused = False
    async with database.write() as session:
        # In one order everywhere, so that two replicas do not wait for each other.
        rows = await session.scalars(select(AgentRow).where(AgentRow.id.in_(known)).order_by(AgentRow.id))
        for agent in rows.all():
            count = batch.get((agent.workspace_id, agent.id))
            if count is None:
                continue
            before = agent.paused_since
            counts = AgentCounts(session, now)
            await counts.add(agent, ended=count.ended, failures=count.failures, tools=count.tools)
            paused = paused or agent.paused_since != before
    return paused


async def _registered(database: Database, batch: Iterable[AgentKey]) -> list[str]:
    async with database.read() as session:
        named = [agent_id for _, agent_id in batch]
        return list((await session.scalars(select(AgentRow.id).where(AgentRow.id.in_(named)))).all())


async def refresh_pauses(database: Database, watch: AgentWatch) -> None:
    """Raises Unavailable where the store does."""
    async with database.read() as session:
        found = await session.execute(
            select(AgentRow.workspace_id, AgentRow.id).where(AgentRow.paused_since.is_not(None))
        )
        watch.pause_only((workspace_id, agent_id) for workspace_id, agent_id in found)


async def follow_pauses(database: Database, watch: AgentWatch, bus: Bus, looks: Looks) -> None:
    """One turn of a process's watch: ask who is paused, then rest until it is time or somebody says so."""
    async with bus.subscribe(PAUSES) as news:
        await looks.take(partial(refresh_pauses, database, watch))
        await news.get(LOOK_SECONDS)
