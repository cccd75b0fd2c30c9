"""The ledger on PostgreSQL, for any number of processes: appends in groups, each session's head checked by the server.

What other processes do shows in refusals: a session that somebody else continued is loaded again, and its turn decided
again. Actions are never answered from memory, because any process may have moved them.
"""

from collections.abc import Sequence

from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.turn import Turn
from mutx.kit.clock import Clock
from mutx.storage import ledger_reads as reads
from mutx.storage import ledger_writes as writes
from mutx.storage.actions import RecentActions
from mutx.storage.ledger_core import LedgerCore, StoredSession
from mutx.storage.ledger_queries import StoredRecords
from mutx.storage.pg_ledger_counters import SharedCounters
from mutx.storage.pg_ledger_flusher import Flusher
from mutx.storage.pg_ledger_outbox import Horizon, SinkClaims
from mutx.storage.pg_ledger_rows import parts_of
from mutx.storage.pg_ledger_store import PATIENCE_SECONDS, Connect, PgStore
from mutx.storage.sessions import MAX_SESSIONS, SessionCache
from mutx.storage.views import QueuedEvent
from mutx.storage.writer import Done


class PostgresLedger(StoredRecords, LedgerCore):
    """`LedgerStore` on a migrated database. Start and stop it on the event loop that calls it."""

    def __init__(
        self,
        connect: Connect,
        accumulator: ContextAccumulator,
        clock: Clock,
        *,
        max_sessions: int = MAX_SESSIONS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`connect` opens a connection; `patience`: seconds that calls wait for a server that went away."""
        counters = SharedCounters()
        super().__init__(accumulator, clock, SessionCache(max_sessions), counters)
        self._actions = RecentActions(limit=0)
        self._writer = self._store = PgStore(connect, patience=patience)
        self._read = self._store.read
        self._flusher = Flusher(connect, counters.learn, patience=patience)
        self._claims = SinkClaims(connect)
        self._horizon = Horizon(self._store)

    async def start(self) -> None:
        """Raises Unavailable while the server is not to be reached, SetupError where it refuses."""
        await self._flusher.start()
        await self._store.start()

    async def stop(self) -> None:
        """Write what is queued, then let go of every connection."""
        await self._flusher.stop()
        await self._claims.stop()
        await self._store.stop()

    async def close_session(self, workspace_id: str, session_id: str, at: float) -> bool:
        closed = await self._write(writes.CLOSE, at, at, workspace_id, session_id)
        state = self._sessions.get((workspace_id, session_id))
        if closed and state is not None:
            state.closed_at = at
        return bool(closed)

    async def events(self, sink: str, limit: int) -> Sequence[QueuedEvent]:
        """Nothing, where another process feeds this sink."""
        if not await self._claims.hold(sink):
            return ()
        return await self._read(reads.events, sink, limit, await self._horizon.reach())

    async def _stored(self, workspace_id: str, session_id: str) -> StoredSession | None:
        return await self._read(reads.load_session, workspace_id, session_id)

    async def _create(self, state: SessionState, snapshot: bytes) -> bool:
        return bool(await self._writer.execute(lambda batch: writes.write_session(batch, state, snapshot)))

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        self._flusher.submit(parts_of(turn, snapshot), done)

    async def _write(self, statement: str, *values: object) -> int:
        return await self._store.write(statement, values)
