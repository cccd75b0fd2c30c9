"""The ledger on SQLite: appends go through the file's one writer, in groups; reads run beside it on threads."""

from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.turn import Turn
from mutx.kit.clock import Clock
from mutx.kit.errors import MutxError
from mutx.storage import ledger_reads as reads
from mutx.storage import ledger_writes as writes
from mutx.storage.codec import encode_turn
from mutx.storage.counters import Counters
from mutx.storage.ledger_bulk import plain, write_plain
from mutx.storage.ledger_core import LedgerCore, StoredSession
from mutx.storage.ledger_queries import StoredRecords
from mutx.storage.sessions import MAX_SESSIONS, SessionCache
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.writer import Done, Together

MEMORABLE = 8192
"""Bytes of arguments and results up to which an action is kept in memory for its next question."""


class SqliteLedger(StoredRecords, LedgerCore):
    """`LedgerStore` on a started `Database`. Call it from the event loop that started the database."""

    def __init__(
        self,
        database: SqliteDatabase,
        accumulator: ContextAccumulator,
        clock: Clock,
        *,
        max_sessions: int = MAX_SESSIONS,
    ) -> None:
        self._writer = self._queue = database.writer
        self._read = database.readers
        counters = Counters(lambda workspace, key: database.readers.now(writes.counter, workspace, key))
        super().__init__(accumulator, clock, SessionCache(max_sessions), counters)

    async def close_session(self, workspace_id: str, session_id: str, at: float) -> bool:
        closed = await self._write(writes.CLOSE, at, at, workspace_id, session_id)
        state = self._sessions.get((workspace_id, session_id))
        if closed and state is not None:
            state.closed_at = at
        return bool(closed)

    async def _stored(self, workspace_id: str, session_id: str) -> StoredSession | None:
        return await self._read(reads.load_session, workspace_id, session_id)

    async def _create(self, state: SessionState, snapshot: bytes) -> bool:
        return bool(await self._writer.execute(lambda batch: writes.write_session(batch, state, snapshot)))

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        entry = writes.Entry(turn, encode_turn(turn), snapshot, writes.event_rows(turn.events))

        def written(result: object, error: MutxError | None) -> None:
            done(result, error)
            if len(entry.stored.values) > MEMORABLE:
                self._actions.forget(turn.workspace_id, turn.action.id)

        together = Together(write_plain, entry) if plain(entry) else None
        self._queue.submit(lambda batch: writes.write_turn(batch, entry), written, brief=True, together=together)
