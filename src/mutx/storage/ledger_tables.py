"""The ledger's tables. Its own statements write them (`ledger_writes.py`); migrations and joins read them here.

Times are float seconds since the epoch, as the engine has them.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from mutx.storage.dialect import Json
from mutx.storage.tables import ID_LENGTH, Row

_NAME = String(256)
_ID = String(ID_LENGTH)
_SERIAL = BigInteger().with_variant(Integer(), "sqlite")

sessions = Table(
    "ledger_sessions",
    Row.metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("workspace_id", _ID, nullable=False),
    Column("session_id", _NAME, nullable=False),
    Column("agent_id", _NAME, nullable=False),
    Column("user_id", _NAME, nullable=False),
    Column("head", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("permits", Integer, nullable=False),
    Column("denials", Integer, nullable=False),
    Column("defers", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("drifts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("closed_at", Float),
    UniqueConstraint("workspace_id", "session_id"),
)

snapshots = Table(
    "ledger_snapshots",
    Row.metadata,
    Column("workspace_id", _ID, primary_key=True),
    Column("session_id", _NAME, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("context", LargeBinary, nullable=False),
)
"""A session's context at some turn. Beside its row, which every turn rewrites, so that no turn rewrites a snapshot."""

turns = Table(
    "ledger_turns",
    Row.metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("workspace_id", _ID, nullable=False),
    Column("session_id", _NAME, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("action_id", _NAME, nullable=False),
    Column("receipt_id", _ID, nullable=False),
    Column("receipt_hash", String(64), nullable=False),
    Column("tool_name", _NAME, nullable=False),
    Column("agent_id", _NAME, nullable=False),
    Column("user_id", _NAME, nullable=False),
    Column("decided_by", _NAME),
    Column("effect", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("permit_expires_at", Float),
    Column("body", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    UniqueConstraint("workspace_id", "session_id", "seq"),
    Index("ix_ledger_turns_receipt_id", "receipt_id"),
    Index("ix_ledger_turns_time", "workspace_id", "at", "kind", "agent_id"),
    Index(
        "uq_ledger_turns_action",
        "workspace_id",
        "action_id",
        "kind",
        unique=True,
        sqlite_where=text("kind <> 'resolution'"),
        postgresql_where=text("kind <> 'resolution'"),
    ),
    Index(
        "ix_ledger_turns_resolution",
        "workspace_id",
        "action_id",
        sqlite_where=text("kind = 'resolution'"),
        postgresql_where=text("kind = 'resolution'"),
    ),
)

redemptions = Table(
    "ledger_redemptions",
    Row.metadata,
    Column("workspace_id", _ID, primary_key=True),
    Column("action_id", _NAME, primary_key=True),
    Column("permit_id", _ID, nullable=False),
    Column("at", Float, nullable=False),
)

counters = Table(
    "ledger_counters",
    Row.metadata,
    Column("workspace_id", _ID, primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("window_end", Float, nullable=False, index=True),
)

approval_requests = Table(
    "approval_requests",
    Row.metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, nullable=False),
    Column("token", String(64), nullable=False),
    Column("session_id", _NAME, nullable=False),
    Column("agent_id", _NAME, nullable=False),
    Column("action_id", _NAME, nullable=False),
    Column("status", String(16), nullable=False),
    Column("due_at", Float, index=True),
    Column("expires_at", Float, nullable=False),
    Column("escalates_at", Float),
    Column("created_at", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Json, nullable=False),
    UniqueConstraint("token"),
    Index("ix_approval_requests_status", "workspace_id", "status", "id"),
    Index("ix_approval_requests_session", "workspace_id", "session_id"),
    Index("ix_approval_requests_agent", "workspace_id", "agent_id"),
    Index("ix_approval_requests_action", "workspace_id", "action_id"),
)

grants = Table(
    "standing_grants",
    Row.metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, nullable=False),
    Column("agent_id", _NAME, nullable=False),
    Column("tool_name", _NAME, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("revoked_at", Float),
    Column("body", Json, nullable=False),
    Index("ix_standing_grants_agent", "workspace_id", "agent_id", "tool_name"),
)

outbox = Table(
    "outbox",
    Row.metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("topic", String(64), nullable=False),
    Column("workspace_id", _ID, nullable=False),
    Column("at", Float, nullable=False),
    Column("payload", Json, nullable=False),
    sqlite_autoincrement=True,
)

outbox_cursors = Table(
    "outbox_cursors",
    Row.metadata,
    Column("sink", String(64), primary_key=True),
    Column("last_id", BigInteger, nullable=False),
)


def create_tables(connection: Connection) -> None:
    """Make every table that is known by now, at once; installations get theirs from migrations."""
    Row.metadata.create_all(connection)
