"""The ledger's writing statements, each run by the writer inside a group's transaction.

Every function makes all its checks before its first write, so that a refusal leaves nothing behind and its batch goes on.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from mutx.governance.ports import SessionState
from mutx.governance.turn import ApprovalRequest, Event, Grant, Turn, TurnKind
from mutx.kit.errors import DuplicateAction, HeadMoved, LimitMoved, RequestMoved
from mutx.storage.codec import StoredTurn, encode_payload
from mutx.storage.statements import Statements, UnitOfWrites
from mutx.storage.tally import NONE, charges_of, due_at, ends_closed, grant_of, tally
from mutx.storage.views import decided_by
from mutx.storage.writer import WriteBatch

TAKEN = {
    TurnKind.DECISION: """SELECT 1 FROM ledger_turns
        WHERE workspace_id = ? AND action_id = ? AND kind = 'decision' AND kind <> 'resolution'""",
    TurnKind.OUTCOME: """SELECT 1 FROM ledger_turns
        WHERE workspace_id = ? AND action_id = ? AND kind = 'outcome' AND kind <> 'resolution'""",
}
"""Constants, not parameters: SQLite would plan the query anew for each value, because the index is partial."""
MOVE_HEAD = """UPDATE ledger_sessions SET head = ?, seq = ?, updated_at = ?, permits = permits + ?,
    denials = denials + ?, defers = defers + ?, errors = errors + ?, drifts = drifts + ?
    WHERE workspace_id = ? AND session_id = ? AND head = ? AND (closed_at IS NULL OR ?)"""
SNAPSHOT = """INSERT INTO ledger_snapshots (workspace_id, session_id, seq, context) VALUES (?, ?, ?, ?)
    ON CONFLICT (workspace_id, session_id) DO UPDATE SET seq = excluded.seq, context = excluded.context"""
NEW_SESSION = """INSERT INTO ledger_sessions (workspace_id, session_id, agent_id, user_id, head, seq, permits, denials,
    defers, errors, drifts, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, session_id) DO NOTHING"""
NEW_TURN = """INSERT INTO ledger_turns (workspace_id, session_id, seq, kind, action_id, receipt_id, receipt_hash,
    tool_name, agent_id, user_id, decided_by, effect, at, permit_expires_at, body, envelope, sealed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
COUNTER = "SELECT value FROM ledger_counters WHERE workspace_id = ? AND key = ?"
CHARGE = """INSERT INTO ledger_counters (workspace_id, key, value, window_end) VALUES (?, ?, ?, ?)
    ON CONFLICT (workspace_id, key) DO UPDATE SET value = ledger_counters.value + excluded.value, window_end = excluded.window_end"""
REVISION = "SELECT revision FROM approval_requests WHERE workspace_id = ? AND id = ?"
SAVE_REQUEST = """INSERT INTO approval_requests (id, workspace_id, token, session_id, agent_id, action_id, status, due_at,
    expires_at, escalates_at, created_at, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, due_at = excluded.due_at,
    escalates_at = excluded.escalates_at, revision = excluded.revision, body = excluded.body
    WHERE approval_requests.revision = excluded.revision - 1"""
GRANT_LEFT = """SELECT 1 FROM standing_grants
    WHERE workspace_id = ? AND id = ? AND uses_left > 0 AND revoked_at IS NULL AND expires_at > ?"""
SPEND_GRANT = "UPDATE standing_grants SET uses_left = uses_left - 1 WHERE workspace_id = ? AND id = ?"
NEW_GRANT = """INSERT INTO standing_grants (id, workspace_id, agent_id, tool_name, expires_at, uses_left, body)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
TELL = "INSERT INTO outbox (topic, workspace_id, at, payload) VALUES (?, ?, ?, ?)"
REDEEM = """INSERT INTO ledger_redemptions (workspace_id, action_id, permit_id, at)
    SELECT CAST(?1 AS TEXT), CAST(?2 AS TEXT), CAST(?3 AS TEXT), CAST(?4 AS FLOAT)
    WHERE NOT EXISTS (SELECT 1 FROM ledger_turns
        WHERE workspace_id = ?1 AND action_id = ?2 AND kind = 'outcome' AND kind <> 'resolution')
    ON CONFLICT (workspace_id, action_id) DO NOTHING"""
CLOSE = """UPDATE ledger_sessions SET closed_at = ?, updated_at = ?
    WHERE workspace_id = ? AND session_id = ? AND closed_at IS NULL"""
REVOKE_GRANT = "UPDATE standing_grants SET revoked_at = ? WHERE workspace_id = ? AND id = ? AND revoked_at IS NULL"
ERASE = """UPDATE ledger_turns SET sealed = NULL WHERE id IN (
    SELECT id FROM ledger_turns WHERE workspace_id = ?1 AND action_id = ?2 AND kind <> 'resolution'
    UNION ALL SELECT id FROM ledger_turns WHERE workspace_id = ?1 AND action_id = ?2 AND kind = 'resolution')"""
ACKNOWLEDGE = """INSERT INTO outbox_cursors (sink, last_id) VALUES (?, ?)
    ON CONFLICT (sink) DO UPDATE SET last_id = excluded.last_id WHERE outbox_cursors.last_id < excluded.last_id"""
PRUNE_EVENTS = """DELETE FROM outbox WHERE id <= (SELECT min(coalesce(c.last_id, 0))
    FROM (VALUES {}) AS s LEFT JOIN outbox_cursors c ON c.sink = s.column1)"""
EXPIRED_COUNTERS = "DELETE FROM ledger_counters WHERE window_end > 0 AND window_end < ?"


class Entry(Struct, frozen=True, gc=False):
    """A turn ready to be written: encoded, with a snapshot of the context where one is due."""

    turn: Turn
    stored: StoredTurn
    snapshot: bytes | None
    events: tuple[tuple[str, str, float, str], ...]


def event_rows(events: Sequence[Event]) -> tuple[tuple[str, str, float, str], ...]:
    return tuple((event.topic, event.workspace_id, event.at, encode_payload(event)) for event in events)


def row_of(entry: Entry) -> tuple[object, ...]:
    """The values of `NEW_TURN`."""
    turn, permit = entry.turn, entry.turn.permit
    return (
        turn.workspace_id,
        turn.session_id,
        turn.seq,
        turn.kind.value,
        turn.action.id,
        turn.receipt.id,
        turn.receipt.hash,
        turn.action.tool_name,
        turn.action.agent_id,
        turn.action.user_id,
        decided_by(turn),
        turn.decision.effect.value,
        turn.at,
        None if permit is None else permit.expires_at,
        entry.stored.body,
        turn.receipt.envelope,
        entry.stored.values,
    )


def write_turn(batch: WriteBatch, entry: Entry) -> None:
    """Append one turn. Raises DuplicateAction, RequestMoved, LimitMoved or HeadMoved."""
    turn, db = entry.turn, batch.connection
    _check(db, turn)
    _move_head(db, entry)
    db.execute(NEW_TURN, row_of(entry))
    _write_rest(db, turn)
    for row in entry.events:
        batch.later(TELL, row)


def _check(db: sqlite3.Connection, turn: Turn) -> None:
    workspace = turn.workspace_id
    taken = TAKEN.get(turn.kind)
    if taken is not None and db.execute(taken, (workspace, turn.action.id)).fetchone():
        raise DuplicateAction(f"a {turn.kind} of this action is on record")
    for request in turn.requests:
        if not _is_next(db, request):
            raise RequestMoved("somebody else changed this request first; read it again")
    charged: Counter[str] = Counter()
    for charge in charges_of(turn):
        charged[charge.key] += charge.amount
        if counter(db, workspace, charge.key) + charged[charge.key] > charge.limit:
            raise LimitMoved("a limit was reached meanwhile; decide again")
    grant_id = grant_of(turn)
    if grant_id is not None and not db.execute(GRANT_LEFT, (workspace, grant_id, turn.at)).fetchone():
        raise LimitMoved("the standing grant was used up meanwhile; decide again")


def _is_next(db: Statements, request: ApprovalRequest) -> bool:
    """Whether `request` follows on the stored revision; revision 0 is new."""
    found = db.execute(REVISION, (request.workspace_id, request.id)).fetchone()
    return request.revision == (0 if found is None else found[0] + 1)


def _move_head(db: sqlite3.Connection, entry: Entry) -> None:
    """The last check and the first write in one statement."""
    turn = entry.turn
    at = (turn.workspace_id, turn.session_id)
    values = (turn.receipt.hash, turn.seq, turn.at, *tally(turn), *at, turn.prev, ends_closed(turn))
    moved = db.execute(MOVE_HEAD, values).rowcount
    if not moved and turn.seq == 1 and entry.snapshot is not None:
        names = (turn.action.agent_id, turn.action.user_id)
        row = (*at, *names, turn.receipt.hash, 1, *tally(turn), turn.at, turn.at)
        moved = db.execute(NEW_SESSION, row).rowcount
    if not moved:
        raise HeadMoved("another turn of this session came first; decide again")
    if entry.snapshot is not None:
        db.execute(SNAPSHOT, (*at, turn.seq, entry.snapshot))


def _write_rest(db: sqlite3.Connection, turn: Turn) -> None:
    for charge in charges_of(turn):
        db.execute(CHARGE, (turn.workspace_id, charge.key, charge.amount, charge.window_end))
    for request in turn.requests:
        _put_request(db, request)
    grant_id = grant_of(turn)
    if grant_id is not None:
        db.execute(SPEND_GRANT, (turn.workspace_id, grant_id))
    for grant in turn.new_grants:
        write_grant(db, grant)


def row_of_request(request: ApprovalRequest) -> tuple[object, ...]:
    """The values of `SAVE_REQUEST`."""
    return (
        request.id,
        request.workspace_id,
        request.token,
        request.session_id,
        request.agent_id,
        request.action_id,
        request.status.value,
        due_at(request),
        request.expires_at,
        request.escalates_at,
        request.created_at,
        request.revision,
        msgspec.json.encode(request).decode(),
    )


def _put_request(db: Statements, request: ApprovalRequest) -> bool:
    """False if the stored revision is not the one before."""
    return bool(db.execute(SAVE_REQUEST, row_of_request(request)).rowcount)


def write_request(batch: UnitOfWrites, request: ApprovalRequest, events: Sequence[Event]) -> None:
    """A change of a request that is no turn. Raises RequestMoved."""
    if not _is_next(batch.connection, request) or not _put_request(batch.connection, request):
        raise RequestMoved("somebody else changed this request first; read it again")
    for row in event_rows(events):
        batch.later(TELL, row)


def write_grant(db: Statements, grant: Grant) -> None:
    body = msgspec.json.encode(grant).decode()
    names = (grant.id, grant.workspace_id, grant.agent_id, grant.tool_name)
    db.execute(NEW_GRANT, (*names, grant.expires_at, grant.uses_left, body))


def write_session(batch: UnitOfWrites, state: SessionState, snapshot: bytes) -> bool:
    """A session without a turn. False if it is there already."""
    context = state.context
    at, names = (context.workspace_id, context.session_id), (context.agent_id, context.user_id)
    created = batch.connection.execute(NEW_SESSION, (*at, *names, state.head, 0, *NONE, state.last_at, state.last_at))
    if created.rowcount:
        batch.connection.execute(SNAPSHOT, (*at, 0, snapshot))
    return bool(created.rowcount)


def counter(db: sqlite3.Connection, workspace_id: str, key: str) -> int:
    found = db.execute(COUNTER, (workspace_id, key)).fetchone()
    return 0 if found is None else int(found[0])
