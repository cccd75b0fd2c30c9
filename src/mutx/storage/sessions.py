"""The sessions this process holds, bounded; a session with writes under way is never let go."""

from collections import OrderedDict
from itertools import islice

from mutx.governance.ports import SessionState
from mutx.kit.errors import HeadMoved

Key = tuple[str, str]
"""Workspace id and session id."""

MAX_SESSIONS = 4096
LOOK_AHEAD = 64
"""How many busy sessions are passed over when room is needed; then the cache grows a little instead."""


class _Held:
    __slots__ = ("pending", "state", "stored")

    def __init__(self, state: SessionState, *, stored: bool) -> None:
        self.state = state
        self.stored = stored
        self.pending = 0


class SessionCache:
    """Least recently used first out. One state object per session: another one for the same session is stale."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._held: OrderedDict[Key, _Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> SessionState | None:
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held.state

    def put(self, key: Key, state: SessionState, *, stored: bool) -> SessionState:
        """Hold `state`, unless the session came meanwhile: then that one is returned. `stored`: it has a row."""
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(state, stored=stored)
            self._shrink(key)
        return held.state

    def begin(self, key: Key, state: SessionState) -> None:
        """A write of this session is under way. Raises HeadMoved when the cache holds another state of it."""
        if self.put(key, state, stored=False) is not state:
            raise HeadMoved("the session was loaded again meanwhile; decide again")
        self._held[key].pending += 1

    def open(self, key: Key, state: SessionState) -> bool:
        """Hold `state` as the session about to be stored, a write under way. False if the session has begun."""
        held = self._held.get(key)
        if held is not None and (held.stored or held.pending):
            return False
        self._held[key] = _Held(state, stored=False)
        self._held[key].pending = 1
        return True

    def end(self, key: Key, state: SessionState, *, failed: bool) -> None:
        """That write is over. A failed one drops the state: what it holds is not what the store holds."""
        held = self._held.get(key)
        if held is None or held.state is not state:
            return
        held.pending -= 1
        held.stored = True
        if failed:
            del self._held[key]

    def _shrink(self, keep: Key) -> None:
        excess = len(self._held) - self._limit
        if excess <= 0:
            return
        for key, held in list(islice(self._held.items(), excess + LOOK_AHEAD)):
            if excess and not held.pending and key != keep:
                del self._held[key]
                excess -= 1
