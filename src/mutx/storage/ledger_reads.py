"""The ledger's reading statements, each a function over one connection, of SQLite or PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from mutx.governance.turn import ActionState, ApprovalRequest, Event, Grant, RequestStatus, Turn
from mutx.storage.actions import fold
from mutx.storage.codec import decode_turn
from mutx.storage.ledger_core import StoredSession
from mutx.storage.statements import Statements
from mutx.storage.views import QueuedEvent, SessionEntry, TurnFilter, WorkspaceCounts

TURN = "SELECT t.body, t.envelope, t.sealed FROM ledger_turns t"
SESSION_COLUMNS = ", ".join(SessionEntry.__struct_fields__)
ACTION_TURNS = """SELECT t.body, t.envelope, t.sealed,
    (SELECT r.at FROM ledger_redemptions r WHERE r.workspace_id = ?1 AND r.action_id = ?2) FROM (
    SELECT * FROM ledger_turns WHERE workspace_id = ?1 AND action_id = ?2 AND kind <> 'resolution'
    UNION ALL SELECT * FROM ledger_turns WHERE workspace_id = ?1 AND action_id = ?2 AND kind = 'resolution') AS t
    ORDER BY t.seq"""
STORED_SESSION = """SELECT s.head, s.seq, s.updated_at, s.closed_at,
    CASE WHEN t.seq IS NULL OR t.seq = n.seq + 1 THEN n.context END, t.body
    FROM ledger_sessions s
    JOIN ledger_snapshots n ON n.workspace_id = s.workspace_id AND n.session_id = s.session_id
    LEFT JOIN ledger_turns t ON t.workspace_id = s.workspace_id AND t.session_id = s.session_id AND t.seq > n.seq
    WHERE s.workspace_id = ? AND s.session_id = ? ORDER BY t.seq"""
"""One statement, one view: the snapshot comes with the first row, the turns since then in all."""
OF_ACTION = """id IN (
    SELECT id FROM ledger_turns WHERE workspace_id = ? AND action_id = ? AND kind <> 'resolution'
    UNION ALL SELECT id FROM ledger_turns WHERE workspace_id = ? AND action_id = ? AND kind = 'resolution')"""
UNCONCLUDED = """SELECT t.action_id FROM ledger_turns t
    WHERE t.workspace_id = ?1 AND t.permit_expires_at <= ?2 AND NOT EXISTS (
        SELECT 1 FROM ledger_turns o WHERE o.workspace_id = t.workspace_id AND o.action_id = t.action_id
        AND o.kind = 'outcome' AND o.kind <> 'resolution')
    ORDER BY t.at DESC LIMIT ?3"""
SUMS = """SELECT coalesce(sum(permits), 0), coalesce(sum(denials), 0), coalesce(sum(defers), 0),
    coalesce(sum(errors), 0), coalesce(sum(drifts), 0), count(*), count(*) - count(closed_at)
    FROM ledger_sessions WHERE workspace_id = ?"""
RECENT = """SELECT count(*) FILTER (WHERE at > ?), count(*) FROM ledger_turns
    WHERE workspace_id = ? AND at > ? AND kind = 'decision'"""

LAST = 2**63 - 1
"""No event has a larger number."""

_requests = msgspec.json.Decoder(ApprovalRequest)
_grants = msgspec.json.Decoder(Grant)


class Listing:
    """One page of a workspace's rows, newest first, and how many there are. Column and table names are constants."""

    def __init__(self, columns: str, table: str, workspace_id: str) -> None:
        self._columns = columns
        self._table = table
        self._conditions = ["workspace_id = ?"]
        self._values: list[Any] = [workspace_id]

    def where(self, condition: str, *values: object) -> None:
        """Add a condition with its values; one of None means that it does not matter."""
        if None not in values:
            self._conditions.append(condition)
            self._values.extend(values)

    def page(self, db: Statements, skip: int, limit: int, order: str = "id DESC") -> list[tuple[Any, ...]]:
        select = f"SELECT {self._columns} FROM {self._table} WHERE {self._filter}"  # noqa: S608
        return db.execute(f"{select} ORDER BY {order} LIMIT ? OFFSET ?", (*self._values, limit, skip)).fetchall()

    def count(self, db: Statements) -> int:
        select = f"SELECT count(*) FROM {self._table} WHERE {self._filter}"  # noqa: S608
        return int(db.execute(select, self._values).fetchone()[0])

    @property
    def _filter(self) -> str:
        return " AND ".join(self._conditions)


def load_session(db: Statements, workspace_id: str, session_id: str) -> StoredSession | None:
    rows = db.execute(STORED_SESSION, (workspace_id, session_id)).fetchall()
    if not rows:
        return None
    head, seq, updated_at, closed_at, snapshot, _ = rows[0]
    deltas = tuple(decode_turn(body, b"", None).delta for *_, body in rows if body is not None)
    return StoredSession(head, seq, updated_at, closed_at, snapshot, deltas)


def is_empty(db: Statements) -> bool:
    return db.execute("SELECT 1 FROM ledger_turns LIMIT 1").fetchone() is None


def action(db: Statements, workspace_id: str, action_id: str) -> ActionState | None:
    rows = db.execute(ACTION_TURNS, (workspace_id, action_id)).fetchall()
    known = fold(decode_turn(*turn) for *turn, _ in rows)
    if known is None:
        return None
    if known.request is not None:
        known = replace(known, request=request(db, workspace_id, known.request.id))
    return replace(known, redeemed_at=rows[0][-1])


def request(db: Statements, workspace_id: str, name: str) -> ApprovalRequest | None:
    """By id or token."""
    row = db.execute(
        "SELECT body FROM approval_requests WHERE workspace_id = ?1 AND (id = ?2 OR token = ?2)", (workspace_id, name)
    ).fetchone()
    return None if row is None else _requests.decode(row[0])


def requests(
    db: Statements,
    workspace_id: str,
    status: RequestStatus | None,
    session_id: str | None,
    agent_id: str | None,
    skip: int,
    limit: int,
) -> tuple[list[ApprovalRequest], int]:
    listing = Listing("body", "approval_requests", workspace_id)
    listing.where("status = ?", status)
    listing.where("session_id = ?", session_id)
    listing.where("agent_id = ?", agent_id)
    return [_requests.decode(body) for (body,) in listing.page(db, skip, limit)], listing.count(db)


def due(db: Statements, now: float, limit: int) -> list[ApprovalRequest]:
    rows = db.execute("SELECT body FROM approval_requests WHERE due_at <= ? ORDER BY due_at LIMIT ?", (now, limit))
    return [_requests.decode(row[0]) for row in rows]


def turns(db: Statements, workspace_id: str, session_id: str, after: int, limit: int) -> list[Turn]:
    rows = db.execute(
        f"{TURN} WHERE workspace_id = ? AND session_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        (workspace_id, session_id, after, limit),
    )
    return [decode_turn(*row) for row in rows]


def receipt(db: Statements, workspace_id: str, receipt_id: str) -> Turn | None:
    row = db.execute(f"{TURN} WHERE workspace_id = ? AND receipt_id = ?", (workspace_id, receipt_id)).fetchone()
    return None if row is None else decode_turn(*row)


def audit(db: Statements, workspace_id: str, which: TurnFilter, skip: int, limit: int) -> tuple[list[Turn], int]:
    listing = Listing("body, envelope, sealed", "ledger_turns", workspace_id)
    listing.where("session_id = ?", which.session_id)
    listing.where("agent_id = ?", which.agent_id)
    listing.where("(user_id = ? OR decided_by = ?)", which.user_id, which.user_id)
    if which.action_id is not None:
        listing.where(OF_ACTION, workspace_id, which.action_id, workspace_id, which.action_id)
    listing.where("kind = ?", which.kind)
    listing.where("at >= ?", which.since)
    listing.where("at < ?", which.until)
    newest_first = "at DESC, id DESC" if which.session_id is None else "seq DESC"  # the session's index has the order
    rows = listing.page(db, skip, limit, newest_first)
    return [decode_turn(*row) for row in rows], listing.count(db)


def sessions(
    db: Statements, workspace_id: str, agent_id: str | None, active: bool | None, skip: int, limit: int
) -> tuple[list[SessionEntry], int]:
    listing = Listing(SESSION_COLUMNS, "ledger_sessions", workspace_id)
    listing.where("agent_id = ?", agent_id)
    listing.where("(closed_at IS NULL) = ?", active)
    return [SessionEntry(*row) for row in listing.page(db, skip, limit)], listing.count(db)


def session(db: Statements, workspace_id: str, session_id: str) -> SessionEntry | None:
    listing = Listing(SESSION_COLUMNS, "ledger_sessions", workspace_id)
    listing.where("session_id = ?", session_id)
    rows = listing.page(db, 0, 1)
    return SessionEntry(*rows[0]) if rows else None


def unconcluded(db: Statements, workspace_id: str, now: float, limit: int) -> list[ActionState]:
    names = db.execute(UNCONCLUDED, (workspace_id, now, limit)).fetchall()
    found = (action(db, workspace_id, name) for (name,) in names)
    return [state for state in found if state is not None]


def counts(db: Statements, workspace_id: str, now: float) -> WorkspaceCounts:
    permits, denials, defers, errors, drifts, total, active = db.execute(SUMS, (workspace_id,)).fetchone()
    minute, hour = db.execute(RECENT, (now - 60, workspace_id, now - 3600)).fetchone()
    pending = Listing("id", "approval_requests", workspace_id)
    pending.where("status = ?", RequestStatus.PENDING)
    return WorkspaceCounts(
        permits=permits,
        denials=denials,
        defers=defers,
        errors=errors,
        drifts=drifts,
        pending_approvals=pending.count(db),
        sessions=total,
        active_sessions=active,
        last_minute=minute,
        last_hour=hour,
    )


def grants(db: Statements, workspace_id: str, agent_id: str, tool_name: str, now: float) -> list[Grant]:
    rows = db.execute(
        """SELECT body, uses_left, revoked_at FROM standing_grants WHERE workspace_id = ? AND agent_id = ?
        AND tool_name = ? AND uses_left > 0 AND revoked_at IS NULL AND expires_at > ? ORDER BY id""",
        (workspace_id, agent_id, tool_name, now),
    )
    return [_grant(*row) for row in rows]


def list_grants(
    db: Statements, workspace_id: str, agent_id: str | None, skip: int, limit: int
) -> tuple[list[Grant], int]:
    listing = Listing("body, uses_left, revoked_at", "standing_grants", workspace_id)
    listing.where("agent_id = ?", agent_id)
    return [_grant(*row) for row in listing.page(db, skip, limit)], listing.count(db)


def _grant(body: str, uses_left: int, revoked_at: float | None) -> Grant:
    return replace(_grants.decode(body), uses_left=uses_left, revoked_at=revoked_at)


def events(db: Statements, sink: str, limit: int, until: int = LAST) -> Sequence[QueuedEvent]:
    """What `sink` has not yet, up to the number `until`."""
    rows = db.execute(
        """SELECT id, topic, workspace_id, at, payload FROM outbox
        WHERE id > coalesce((SELECT last_id FROM outbox_cursors WHERE sink = ?), 0) AND id <= ? ORDER BY id LIMIT ?""",
        (sink, until, limit),
    )
    return [
        QueuedEvent(
            serial, Event(topic=topic, workspace_id=workspace, at=at, payload=msgspec.json.decode(payload.encode()))
        )
        for serial, topic, workspace, at, payload in rows
    ]
