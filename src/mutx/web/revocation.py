"""Revoking so that no replica serves a revoked credential once the revocation was answered.

Every replica remembers whom it verified. So a revocation moves an epoch in the store, and a replica trusts its memory
only under a lease: until `LEASE` seconds after it last asked for the epoch. It asks every `RECHECK` seconds and whenever
the bus says so. The replica that revokes answers once the longest lease that could have begun before has run out.
By then every replica has heard, or trusts its memory no more and asks the store. One replica alone waits for nobody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Unavailable
from mutx.services.identity.verified import VerifiedCallers
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database
from mutx.storage.revocations import move_epoch, read_epoch

TOPIC = "revocations"
LEASE = 0.5
RECHECK = 0.15
REVOKES = "mutx.revokes"


class Revocations:
    def __init__(
        self, database: Database, callers: VerifiedCallers, bus: Bus, clock: Clock, *, shared: bool = False
    ) -> None:
        """`shared`: other replicas may serve from the same store."""
        self._database = database
        self._callers = callers
        self._bus = bus
        self._clock = clock
        self.shared = shared
        self._seen: int | None = None
        if shared:
            callers.lease(0)

    async def revoke(self, session: AsyncSession) -> None:
        """Somebody loses a right with this unit of work: once it is on disk, everybody is verified anew."""
        await session.flush()
        await move_epoch(session, to_datetime(self._clock.now()))
        session.info[REVOKES] = True
        event.listen(session.sync_session, "after_commit", lambda _: self._moved(), once=True)

    async def settle(self, session: AsyncSession) -> None:
        """After the commit and before the answer: wait until no replica trusts what was revoked."""
        if self.shared and session.info.pop(REVOKES, False):
            await asyncio.sleep(LEASE)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[AsyncSession]:
        """A unit of work that may revoke."""
        async with self._database.write() as session:
            yield session
        await self.settle(session)

    async def follow(self) -> None:
        """One turn of a replica's watch: ask for the epoch, then rest until it is time or somebody moved it."""
        async with self._bus.subscribe(TOPIC) as news:
            with suppress(Unavailable):  # then the lease runs out, and everybody is verified by the store again
                await self.refresh()
            await news.get(RECHECK)

    async def refresh(self) -> None:
        """Ask for the epoch, and take a new lease. Raises Unavailable."""
        asked_at = self._clock.now()
        async with self._database.read() as session:
            epoch = await read_epoch(session)
        if epoch != self._seen:
            self._callers.revoke()
            self._seen = epoch
        self._callers.lease(asked_at + LEASE)

    def _moved(self) -> None:
        self._callers.revoke()
        self._bus.publish(TOPIC, {})
