"""Entries of before links and contents were apart are linked anew, and say that nobody had signed their end."""

import json
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from mutx.governance.audit.entry import AuditChain
from mutx.resources.audit.chain import is_unchanged, link_of
from mutx.resources.audit.models import AuditEventRow
from mutx.server.migrations.run import configuration, upgrade

COLUMNS = {
    "agent_id": "",
    "session_id": "",
    "user_id": "ana",
    "actor_type": "person",
    "policy_refs": "[]",
    "timestamp": "2027-01-15 08:00:00.250000",
    "integrity_hash": "0" * 64,
}


def test_older_entries_are_linked_anew(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'mutx.db'}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0003")
        for number, workspace in enumerate(("ws-1", "ws-1", "ws-2")):
            row = COLUMNS | {
                "id": f"row-{number}",
                "workspace_id": workspace,
                "sequence": 1 if workspace == "ws-2" else number + 1,
                "event_id": f"event-{number}",
                "event_type": "LOGIN" if number else "POLICY_CHANGE",
                "payload": json.dumps({"number": number, "share": 0.5}),
            }
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO audit_events ({names}) VALUES (:{', :'.join(row)})"), row)
        upgrade(connection)
    chains = {name: AuditChain(name) for name in ("ws-1", "ws-2")}
    with Session(engine) as session:
        rows = session.scalars(select(AuditEventRow).order_by(AuditEventRow.workspace_id, AuditEventRow.sequence)).all()
        for row in rows:
            chains[row.workspace_id].link(link_of(row))
            assert row.payload is not None
            assert is_unchanged(row, row.payload)
        assert [row.retention for row in rows] == ["configuration", "login", "login"]
    assert [chain.seq for chain in chains.values()] == [2, 1]
    engine.dispose()
