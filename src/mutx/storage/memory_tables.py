"""The memory ledger's store: plain dictionaries under the same checks that the database's transaction makes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.turn import ActionState, ApprovalRequest, Event, Grant, Turn, TurnKind
from mutx.kit.errors import DuplicateAction, HeadMoved, LimitMoved, RequestMoved
from mutx.storage.actions import fold
from mutx.storage.codec import erased
from mutx.storage.tally import charges_of, ends_closed, grant_of, tally
from mutx.storage.views import QueuedEvent, SessionEntry

Key = tuple[str, str]
"""Workspace id, and the id of a thing in it."""


class Counted(Struct):
    """A counter, and when it may be forgotten."""

    value: int
    window_end: float


class MemorySession:
    """A session's row, and the receipt ids of its turns."""

    def __init__(self, entry: SessionEntry, snapshot: bytes) -> None:
        self.entry = entry
        self.snapshot = snapshot
        self.snapshot_seq = entry.seq
        self.receipts: list[str] = []


class MemoryTables:
    """Every write makes all its checks before its first change."""

    def __init__(self) -> None:
        self.sessions: dict[Key, MemorySession] = {}
        self.turns: dict[Key, Turn] = {}
        self.actions: defaultdict[Key, list[str]] = defaultdict(list)
        self.redemptions: dict[Key, float] = {}
        self.counters: dict[Key, Counted] = {}
        self.requests: dict[Key, ApprovalRequest] = {}
        self.grants: dict[Key, Grant] = {}
        self.outbox: list[QueuedEvent] = []
        self.cursors: dict[str, int] = {}
        self._told = 0

    def add_turn(self, turn: Turn, snapshot: bytes | None) -> None:
        """Raises DuplicateAction, RequestMoved, LimitMoved or HeadMoved."""
        self._check(turn)
        session = self._session(turn, snapshot)
        self._move_head(session, turn, snapshot)
        workspace = turn.workspace_id
        session.receipts.append(turn.receipt.id)
        self.turns[workspace, turn.receipt.id] = replace(turn, events=())
        self.actions[workspace, turn.action.id].append(turn.receipt.id)
        for charge in charges_of(turn):
            counted = self.counters.setdefault((workspace, charge.key), Counted(0, charge.window_end))
            counted.value += charge.amount
            counted.window_end = charge.window_end
        for request in turn.requests:
            self.requests[workspace, request.id] = request
        grant_id = grant_of(turn)
        if grant_id is not None:
            grant = self.grants[workspace, grant_id]
            self.grants[workspace, grant_id] = replace(grant, uses_left=grant.uses_left - 1)
        for grant in turn.new_grants:
            self.grants[workspace, grant.id] = grant
        self.tell(turn.events)

    def put_request(self, request: ApprovalRequest, events: Iterable[Event]) -> None:
        """Raises RequestMoved."""
        if not self._is_next(request):
            raise RequestMoved("somebody else changed this request first; read it again")
        self.requests[request.workspace_id, request.id] = request
        self.tell(events)

    def tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._told += 1
            self.outbox.append(QueuedEvent(self._told, event))

    def add_session(self, entry: SessionEntry, workspace_id: str, snapshot: bytes) -> bool:
        if (workspace_id, entry.session_id) in self.sessions:
            return False
        self.sessions[workspace_id, entry.session_id] = MemorySession(entry, snapshot)
        return True

    def action(self, workspace_id: str, action_id: str) -> ActionState | None:
        known = fold(self.turns_of(workspace_id, self.actions.get((workspace_id, action_id), ())))
        if known is None:
            return None
        if known.request is not None:
            known = replace(known, request=self.requests[workspace_id, known.request.id])
        return replace(known, redeemed_at=self.redemptions.get((workspace_id, action_id)))

    def turns_of(self, workspace_id: str, receipts: Iterable[str]) -> Iterator[Turn]:
        return (self.turns[workspace_id, receipt] for receipt in receipts)

    def redeem(self, workspace_id: str, action_id: str, at: float) -> bool:
        """False if the permit was redeemed, or its action concluded, before."""
        key = (workspace_id, action_id)
        turns = self.turns_of(workspace_id, self.actions.get(key, ()))
        if key in self.redemptions or any(turn.kind is TurnKind.OUTCOME for turn in turns):
            return False
        self.redemptions[key] = at
        return True

    def erase(self, workspace_id: str, action_id: str) -> None:
        for receipt in self.actions[workspace_id, action_id]:
            self.turns[workspace_id, receipt] = erased(self.turns[workspace_id, receipt])

    def _check(self, turn: Turn) -> None:
        workspace = turn.workspace_id
        earlier = self.turns_of(workspace, self.actions.get((workspace, turn.action.id), ()))
        if turn.kind is not TurnKind.RESOLUTION and any(other.kind is turn.kind for other in earlier):
            raise DuplicateAction(f"a {turn.kind} of this action is on record")
        if not all(self._is_next(request) for request in turn.requests):
            raise RequestMoved("somebody else changed this request first; read it again")
        charged: Counter[str] = Counter()
        for charge in charges_of(turn):
            charged[charge.key] += charge.amount
            counted = self.counters.get((workspace, charge.key))
            if (counted.value if counted else 0) + charged[charge.key] > charge.limit:
                raise LimitMoved("a limit was reached meanwhile; decide again")
        grant_id = grant_of(turn)
        if grant_id is not None and not live(self.grants.get((workspace, grant_id)), turn.at):
            raise LimitMoved("the standing grant was used up meanwhile; decide again")

    def _is_next(self, request: ApprovalRequest) -> bool:
        known = self.requests.get((request.workspace_id, request.id))
        return request.revision == (0 if known is None else known.revision + 1)

    def _session(self, turn: Turn, snapshot: bytes | None) -> MemorySession:
        """The session that `turn` continues. Raises HeadMoved."""
        key = (turn.workspace_id, turn.session_id)
        session = self.sessions.get(key)
        if session is None and turn.seq == 1 and snapshot is not None:
            entry = new_entry(turn.session_id, turn.action.agent_id, turn.action.user_id, turn.prev, turn.at)
            session = self.sessions[key] = MemorySession(entry, snapshot)
        if (
            session is None
            or session.entry.head != turn.prev
            or not (session.entry.closed_at is None or ends_closed(turn))
        ):
            raise HeadMoved("another turn of this session came first; decide again")
        return session

    def _move_head(self, session: MemorySession, turn: Turn, snapshot: bytes | None) -> None:
        entry, more = session.entry, tally(turn)
        session.entry = replace(
            entry,
            head=turn.receipt.hash,
            seq=turn.seq,
            updated_at=turn.at,
            permits=entry.permits + more.permits,
            denials=entry.denials + more.denials,
            defers=entry.defers + more.defers,
            errors=entry.errors + more.errors,
            drifts=entry.drifts + more.drifts,
        )
        if snapshot is not None:
            session.snapshot, session.snapshot_seq = snapshot, turn.seq


def new_entry(session_id: str, agent_id: str, user_id: str, head: str, at: float) -> SessionEntry:
    return SessionEntry(
        session_id=session_id,
        agent_id=agent_id,
        user_id=user_id,
        head=head,
        seq=0,
        permits=0,
        denials=0,
        defers=0,
        errors=0,
        drifts=0,
        created_at=at,
        updated_at=at,
        closed_at=None,
    )


def live(grant: Grant | None, now: float) -> bool:
    return grant is not None and grant.revoked_at is None and grant.uses_left > 0 and grant.expires_at > now
