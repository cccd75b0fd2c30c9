"""Brings about what is wanted: looks at the rows that are this control plane's, compares with its children, acts.

Whatever happens to a control plane in between, no child is ever doubled: a row gets the launch's id before anything is
launched, and the launch's keeper holds a lock from before it runs. Beside other control planes a row is seen to by one of
them, under a lease; a child whose control plane cannot renew it ends before another one may start it.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.supervision import SupervisionState as State
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import SupervisionValidationError, Unavailable
from mutx.kit.ids import new_id
from mutx.resources.supervision.metrics import SupervisionMetrics
from mutx.resources.supervision.models import RUN, SupervisedAgentRow
from mutx.resources.supervision.records import Records, due
from mutx.services.faramesh_supervisor.launching import launch_of
from mutx.services.faramesh_supervisor.supervisor import About, FarameshSupervisor
from mutx.services.faramesh_supervisor.validation import check
from mutx.services.identity.sealing import Sealer, place
from mutx.storage.engine import Database

LOOK_SECONDS = 1.0
"""Between looks where nothing happens; what other control planes were asked for is seen by then."""


class RowMoved(Exception):
    """Somebody else wrote first: the next look sees what."""


Change = Callable[[Records, SupervisedAgentRow], Awaitable[None]]


class Reconciler:
    def __init__(
        self,
        supervisor: FarameshSupervisor,
        database: Database,
        sealer: Sealer,
        clock: Clock,
        metrics: SupervisionMetrics,
    ) -> None:
        self._supervisor = supervisor
        self._config = supervisor.config
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._metrics = metrics
        self._beaten = self._checked = float("-inf")
        self._idle_at: int | None = None
        """`Database.units` when there was nothing to see to, where nobody else writes the database."""

    async def open(self) -> None:
        """Find what an earlier control plane left, before anything else is started."""
        await self._supervisor.open()
        self._metrics.adopted.inc(len(self._supervisor.children))

    async def turn(self) -> None:
        """One look, at the latest after a second."""
        await self._supervisor.await_news(LOOK_SECONDS)
        if self._supervisor.running and (self._idle_at is None or self._idle_at != self._database.units):
            await self.tick()

    async def tick(self) -> None:
        """Raises Unavailable where the store does not answer; nothing is started then, and leases run out."""
        if self._config.lease_seconds:
            await self._keep_leases()
        units = self._database.units
        rows = await self._rows()
        self._idle_at = None if rows or self._supervisor.launches() else units
        known = {row.launch_id for row in rows}
        for child in tuple(self._supervisor.children.values()):
            if child.about.launch_id not in known:  # its agent was deleted, or another control plane has it
                self._stop(child.about.launch_id, self._config.shutdown_timeout)
        await asyncio.gather(*(self._see_to(row) for row in rows))
        # What was launched just now may have ended already; how it did is read in the next look.
        for launch_id in set(self._supervisor.launches()) - known - {row.launch_id for row in rows}:
            self._supervisor.forget(launch_id)
        self._check_health()
        self._supervisor.kill_overdue()
        self._metrics.show(row.state for row in rows)

    async def close(self) -> None:
        """Stop the children, and let go of them: whoever comes next may start them."""
        if not self._supervisor.running:
            return
        await self._supervisor.close()
        if self._config.keep_on_exit:
            return
        for row in await self._rows():
            if row.launch_id is not None:
                await self._record_end(row)
        async with self._database.write() as session:
            mine = update(SupervisedAgentRow).where(self._is_mine())
            await session.execute(mine.values(lease_until=None, host_id=None))

    async def _see_to(self, row: SupervisedAgentRow) -> None:
        child = self._supervisor.children.get(row.launch_id or "")
        if row.launch_id is not None and child is None:
            await self._record_end(row)
        elif child is not None and (row.desired != RUN or row.restart_wanted):
            seconds = row.stop_seconds if row.stop_seconds is not None else self._config.shutdown_timeout
            self._stop(child.about.launch_id, seconds)
        elif child is not None and row.state == State.STARTING:
            pid = child.pid
            await self._record(row, lambda records, fresh: records.running(fresh, pid))
        elif due(row, to_datetime(self._clock.now())):
            await self._start(row)

    def _stop(self, launch_id: str, seconds: float) -> None:
        """Once, and again only to have it sooner."""
        child = self._supervisor.children[launch_id]
        if child.kill_at is None or self._supervisor.kill_time(seconds) < child.kill_at:
            self._supervisor.stop(child, seconds)

    async def _record_end(self, row: SupervisedAgentRow) -> None:
        launch_id = row.launch_id or ""
        report = self._supervisor.report(launch_id)

        async def ended(records: Records, fresh: SupervisedAgentRow) -> None:
            if report is None and fresh.state == State.STARTING:
                fresh.launch_id = None  # the control plane ended before it could launch it: start it now
                return
            state = await records.ended(fresh, report)
            self._metrics.crashes.inc(state in (State.FAILED, State.RESTARTING))
            self._metrics.restarts.inc(state is State.RESTARTING)
            self._metrics.forced.inc(report is not None and report.killed)

        if await self._record(row, ended):
            self._supervisor.forget(launch_id)
            self._supervisor.news.set()  # it may be due again

    async def _start(self, row: SupervisedAgentRow) -> None:
        """The row first, then the process: a launch that nobody knows of does not exist."""
        launch_id = new_id()

        async def announced(_: Records, fresh: SupervisedAgentRow) -> None:
            if not due(fresh, to_datetime(self._clock.now())):
                raise RowMoved
            fresh.launch_id, fresh.state = launch_id, State.STARTING

        if not await self._record(row, announced):
            return
        row.launch_id = launch_id
        try:
            pid = await self._launch(row, launch_id)
        except (SupervisionValidationError, Unavailable) as error:
            said, final = str(error), isinstance(error, SupervisionValidationError)
            await self._record(row, lambda records, fresh: records.not_started(fresh, said, final=final))
            self._supervisor.forget(launch_id)
            return
        self._metrics.starts.inc()
        await self._record(row, lambda records, fresh: records.running(fresh, pid))

    async def _launch(self, row: SupervisedAgentRow, launch_id: str) -> int:
        """What was allowed when it was asked for has to be allowed now."""
        env = json.loads(self._sealer.open(row.env, context=place(row.__tablename__, "env", row.id)))
        command = () if row.launch_profile is not None else row.command
        runnable = check(self._config, command, row.launch_profile, env, row.faramesh_policy)
        about = About(launch_id=launch_id, workspace_id=row.workspace_id, agent_id=row.agent_id, user_id=row.user_id)
        return await self._supervisor.launch(launch_of(self._config, runnable, about, os.environ))

    async def _rows(self) -> list[SupervisedAgentRow]:
        async with self._database.read() as session:
            rows = (await session.scalars(select(SupervisedAgentRow).where(self._is_mine()))).all()
            session.expunge_all()
        return list(rows)

    def _is_mine(self) -> ColumnElement[bool]:
        """Alone on its store, a control plane sees to all."""
        if not self._config.lease_seconds:
            return true()
        return SupervisedAgentRow.host_id == self._supervisor.host_id

    async def _keep_leases(self) -> None:
        """Renew what is this control plane's; take what another one can no longer have."""
        started = time.clock_gettime(time.CLOCK_BOOTTIME)
        if started - self._beaten < self._config.lease_seconds / 3:
            return
        now = self._clock.now()
        until = to_datetime(now + self._config.lease_seconds)
        async with self._database.write() as session:
            mine = update(SupervisedAgentRow).where(self._is_mine())
            await session.execute(mine.values(lease_until=until))
            if self._config.enabled:
                await self._take_over(session, now)
        self._beaten = started
        self._supervisor.beat(started)

    async def _take_over(self, session: AsyncSession, now: float) -> None:
        """Rows of a control plane that was not heard of for so long that its keepers have ended their children."""
        row = SupervisedAgentRow
        silent = to_datetime(now - self._config.lease_seconds - self._config.shutdown_timeout)
        free = or_(row.host_id.is_(None), row.lease_until < silent)
        wanted = or_(row.desired == RUN, row.launch_id.is_not(None))
        for taken in (await session.scalars(select(row).where(and_(free, wanted)))).all():
            taken.host_id, taken.lease_until = self._supervisor.host_id, to_datetime(now + self._config.lease_seconds)
            if taken.launch_id is not None:
                await Records(session, self._config, now).ended(taken, None)

    def _check_health(self) -> None:
        """A child that is gone while its keeper has not noticed: the keeper is ended, and that is noticed."""
        now = time.monotonic()
        if now - self._checked < self._config.health_check_interval:
            return
        self._checked = now
        for child in self._supervisor.unhealthy():
            self._supervisor.stop(child, 0.0)

    async def _record(self, row: SupervisedAgentRow, change: Change) -> bool:
        """`change` what is stored, if that is this control plane's still and about the same launch. Whether it was."""
        try:
            async with self._database.write() as session:
                fresh = await session.get(SupervisedAgentRow, row.id)
                if fresh is None or fresh.launch_id != row.launch_id or not self._sees_to(fresh):
                    return False
                await change(Records(session, self._config, self._clock.now()), fresh)
        except RowMoved:
            return False
        async with self._supervisor.changed:
            self._supervisor.changed.notify_all()
        return True

    def _sees_to(self, row: SupervisedAgentRow) -> bool:
        return not self._config.lease_seconds or row.host_id == self._supervisor.host_id
