"""What every ledger does with sessions and appends, wherever its turns then lie."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Sequence

from msgspec import Struct

from mutx.governance.chain import genesis
from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.turn import Turn
from mutx.kit.clock import Clock
from mutx.kit.errors import MutxError
from mutx.storage.actions import RecentActions
from mutx.storage.counters import Counters
from mutx.storage.sessions import SessionCache
from mutx.storage.tally import charges_of
from mutx.storage.writer import Done, settle

SNAPSHOT_AFTER = 16_384
"""Bytes of deltas before a session's context is stored whole again, or as many as it took the last time if that is more:
so a turn writes at most its delta twice, and a reload replays at most as much as it reads."""

PAGE = 200


class StoredSession(Struct, frozen=True):
    """A session as the store holds it: its last snapshot, and the deltas of the turns after that."""

    head: str
    seq: int
    updated_at: float
    closed_at: float | None
    snapshot: bytes
    deltas: tuple[bytes, ...]


class LedgerCore(ABC):
    """Sessions in memory ahead of the store: an append advances them at once, a failed one lets them go."""

    def __init__(
        self, accumulator: ContextAccumulator, clock: Clock, sessions: SessionCache, counters: Counters
    ) -> None:
        self._accumulator = accumulator
        self._clock = clock
        self._sessions = sessions
        self._counters = counters
        self._actions = RecentActions()

    async def start(self) -> None:  # noqa: B027 - most ledgers hold nothing of their own
        """Begin."""

    async def stop(self) -> None:  # noqa: B027
        """Let go."""

    @abstractmethod
    async def _stored(self, workspace_id: str, session_id: str) -> StoredSession | None: ...

    @abstractmethod
    async def _create(self, state: SessionState, snapshot: bytes) -> bool:
        """Store a session without a turn. False if it is there."""

    @abstractmethod
    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        """Write the turn in one transaction with all its checks, then call `done`. Or raise, and never call it."""

    @abstractmethod
    async def turns(
        self, workspace_id: str, session_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[Turn]: ...

    def cached(self, workspace_id: str, session_id: str) -> SessionState | None:
        return self._sessions.get((workspace_id, session_id))

    async def load(self, workspace_id: str, session_id: str) -> SessionState:
        key = (workspace_id, session_id)
        held = self._sessions.get(key)
        if held is not None:
            return held
        stored = await self._stored(workspace_id, session_id)
        state = self._new(workspace_id, session_id) if stored is None else self._rebuilt(stored)
        return self._sessions.put(key, state, stored=stored is not None)

    def counter(self, workspace_id: str, key: str) -> int:
        return self._counters.value(workspace_id, key)

    def append(self, state: SessionState, turn: Turn) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sessions.begin((turn.workspace_id, turn.session_id), state)
        self._counters.begin(turn.workspace_id, charges_of(turn))
        snapshot = self._snapshot(state, turn)
        state.head, state.seq, state.last_at = turn.receipt.hash, turn.seq, turn.at

        def done(_: object, error: MutxError | None) -> None:
            try:
                self._written(state, turn, error)
            finally:
                settle(future, None, error)

        try:
            self._submit(turn, snapshot, done)
        except MutxError as error:
            done(None, error)
        return future

    async def create_session(self, state: SessionState) -> bool:
        key = (state.context.workspace_id, state.context.session_id)
        if await self._stored(*key) is not None or not self._sessions.open(key, state):
            return False
        created = False
        try:
            created = await self._create(state, self._accumulator.encode(state.context))
        finally:
            self._sessions.end(key, state, failed=not created)
        return created

    async def export(self, workspace_id: str, session_id: str) -> AsyncIterator[Turn]:
        after = 0
        while page := await self.turns(workspace_id, session_id, after=after, limit=PAGE):
            for turn in page:
                yield turn
            after = page[-1].seq

    def _snapshot(self, state: SessionState, turn: Turn) -> bytes | None:
        """The whole context, if it is due with this turn."""
        state.since_snapshot += len(turn.delta)
        if turn.seq > 1 and state.since_snapshot < max(state.snapshot_size, SNAPSHOT_AFTER):
            return None
        snapshot = self._accumulator.encode(state.context)
        state.snapshot_size, state.since_snapshot = len(snapshot), 0
        return snapshot

    def _written(self, state: SessionState, turn: Turn, error: MutxError | None) -> None:
        failed = error is not None
        self._sessions.end((turn.workspace_id, turn.session_id), state, failed=failed)
        self._counters.end(turn.workspace_id, charges_of(turn), failed=failed)
        if failed:
            self._actions.forget(turn.workspace_id, turn.action.id)
        else:
            self._actions.heard(turn)

    def _new(self, workspace_id: str, session_id: str) -> SessionState:
        now = self._clock.now()
        context = self._accumulator.new(
            workspace_id=workspace_id, session_id=session_id, agent_id="", user_id="", now=now
        )
        return SessionState(context, genesis(workspace_id, session_id), 0, now, None)

    def _rebuilt(self, stored: StoredSession) -> SessionState:
        context = self._accumulator.decode(stored.snapshot)
        for delta in stored.deltas:
            self._accumulator.apply(context, self._accumulator.decode_delta(delta))
        state = SessionState(context, stored.head, stored.seq, stored.updated_at, stored.closed_at)
        state.snapshot_size, state.since_snapshot = len(stored.snapshot), sum(map(len, stored.deltas))
        return state
