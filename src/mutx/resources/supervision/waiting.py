"""Waiting until what was asked for has come about, so that an answer tells how it went."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select

from mutx.contract.supervision import SupervisedAgent
from mutx.governance.types import Caller
from mutx.resources.supervision.models import SupervisedAgentRow
from mutx.resources.supervision.service import Supervision
from mutx.services.faramesh_supervisor.supervisor import FarameshSupervisor
from mutx.web.services import Services

LOOK_SECONDS = 0.5
"""Between looks: another control plane may be the one that acts."""
MAX_SECONDS = 20.0


async def settled(
    app: Services,
    caller: Caller,
    supervisor: FarameshSupervisor,
    agent_id: UUID,
    done: Callable[[SupervisedAgentRow], bool],
    seconds: float = MAX_SECONDS,
) -> SupervisedAgent:
    """How it stands once it is `done`, or when the time is up."""
    supervisor.news.set()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(seconds, MAX_SECONDS)
    while True:
        async with app.database.read() as session:
            supervision = Supervision(session, caller, app.clock, supervisor, app.sealer)
            query = select(SupervisedAgentRow).where(SupervisedAgentRow.workspace_id == caller.workspace_id)
            row = (await session.scalars(query.where(SupervisedAgentRow.agent_id == str(agent_id)))).one()
            if done(row) or not supervisor.running or loop.time() >= deadline:
                return await supervision.shown(row)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS), supervisor.changed:
                await supervisor.changed.wait()
