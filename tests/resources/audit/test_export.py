"""Exports of the audit log as evidence: what was changed, removed or never signed shows."""

from datetime import datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, update

from mutx.governance.keys import KeyRing
from mutx.resources.audit import checking, service
from mutx.resources.audit.checking import ChainCheck
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.news import AuditEntries
from mutx.resources.audit.query import AuditScope
from mutx.resources.audit.service import AuditLog
from mutx.storage.codec import encode_turn
from mutx.storage.ledger_tables import sessions, turns
from tests.resources.governed import SESSION, Governed, Somebody
from tests.server.plane import on_both


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    """Two sessions of decisions, and changes of the policy beside them."""
    ana = await plane.person()
    await ana.apply()
    agent = plane.agent(ana)
    await plane.conclude(agent, await plane.decide(agent, "read_stock", item="tea"))
    asked = await plane.decide(agent, "pay", amount=5)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", {"comment": "fine"})
    await plane.decide(agent, "drop", "evening")
    await ana.post("/v1/policies/shop/reload")
    await plane.settle()
    return ana


async def _export(ana: Somebody, **which: str) -> dict:
    return (await ana.get("/v1/audit/export", **which)).json()


async def test_a_session_is_verified(ana: Somebody) -> None:
    export = await _export(ana, session_id=SESSION)
    assert (export["verified"], export["errors"]) == (True, [])
    assert [event["sequence"] for event in export["events"]] == [1, 2, 3, 4]
    assert {event["session_id"] for event in export["events"]} == {SESSION}
    assert export["chain_root"] == export["events"][-1]["integrity_hash"]


async def test_everything_is_verified(ana: Somebody) -> None:
    export = await _export(ana)
    listed = (await ana.get("/v1/audit/events", limit=200)).json()
    assert (export["verified"], export["errors"]) == (True, [])
    assert export["event_count"] == listed["total"] == len(export["events"])
    assert {event["event_id"] for event in export["events"]} == {event["event_id"] for event in listed["events"]}
    times = [datetime.fromisoformat(event["timestamp"]) for event in export["events"]]
    assert times == sorted(times)


async def test_a_session_that_is_not_there_has_no_events(ana: Somebody) -> None:
    assert (await _export(ana, session_id="unknown"))["event_count"] == 0


async def test_a_changed_decision_shows(plane: Governed, ana: Somebody) -> None:
    turn = (await plane.services.ledger.turns(ana.workspace_id, SESSION))[0]
    forged = replace(turn, decision=replace(turn.decision, reason="it was fine"))
    await _change(plane, update(turns).where(turns.c.receipt_id == turn.id).values(body=encode_turn(forged).body))
    export = await _export(ana, session_id=SESSION)
    assert export["verified"] is False
    assert export["errors"] == [
        f"session {SESSION}, turn 1 ({turn.id}): what is stored beside the receipt is not what was signed"
    ]
    assert (await _export(ana, session_id="evening"))["verified"] is True
    assert (await _export(ana))["verified"] is False


async def test_a_changed_receipt_shows(plane: Governed, ana: Somebody) -> None:
    turn = (await plane.services.ledger.turns(ana.workspace_id, SESSION))[1]
    forged = turn.receipt.envelope.replace(b'"sig":"', b'"sig":"AAAA')
    await _change(plane, update(turns).where(turns.c.receipt_id == turn.id).values(envelope=forged))
    assert "turn 2" in (await _export(ana, session_id=SESSION))["errors"][0]


@pytest.mark.parametrize(("seq", "said"), [(2, "number 3, but 2 comes here"), (4, "holds 3 turns, its head says 4")])
async def test_a_removed_turn_shows(plane: Governed, ana: Somebody, seq: int, said: str) -> None:
    of_session = (turns.c.workspace_id == ana.workspace_id, turns.c.session_id == SESSION)
    await _change(plane, delete(turns).where(*of_session, turns.c.seq == seq))
    export = await _export(ana, session_id=SESSION)
    assert export["verified"] is False
    assert said in export["errors"][0]


@on_both
async def test_all_turns_of_a_session_removed_shows(plane: Governed, ana: Somebody) -> None:
    await _change(plane, delete(turns).where(turns.c.session_id == "evening"))
    assert "holds 0 turns" in (await _export(ana, session_id="evening"))["errors"][0]
    await _change(plane, delete(sessions).where(sessions.c.session_id == "evening"))
    assert (await _export(ana, session_id="evening"))["event_count"] == 0


async def test_a_key_that_nobody_knows_shows(plane: Governed, ana: Somebody) -> None:
    caller = replace(plane.agent(ana), agent_id=None, scopes=("admin",))
    async with plane.services.database.read() as session:
        export = await AuditLog(plane.services.ledger, session, KeyRing(), plane.services.sealer, caller).export(
            SESSION, None
        )
    assert export.verified is False
    assert "no trusted key" in export.errors[0]
    assert "turn 1" in export.errors[1]


async def test_a_changed_entry_shows(plane: Governed, ana: Somebody) -> None:
    mine = (AuditEventRow.workspace_id == ana.workspace_id, AuditEventRow.sequence == 2)
    await _change(plane, update(AuditEventRow).where(*mine).values(actor_id="somebody-else"))
    export = await _export(ana)
    assert export["verified"] is False
    assert "entry 2" in export["errors"][0]
    assert "was changed" in export["errors"][0]


async def test_a_removed_entry_shows(plane: Governed, ana: Somebody) -> None:
    mine = (AuditEventRow.workspace_id == ana.workspace_id, AuditEventRow.sequence == 1)
    await _change(plane, delete(AuditEventRow).where(*mine))
    export = await _export(ana, session_id=SESSION)
    assert export["verified"] is False
    assert any("entry 1 is missing" in error for error in export["errors"])


async def test_an_export_is_bounded(plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_EXPORT", 5)
    assert (await _export(ana))["code"] == "too_large"
    assert (await _export(ana, session_id="evening"))["verified"] is True
    monkeypatch.setattr(service, "MAX_EXPORT", 0)
    assert (await _export(ana))["code"] == "too_large"


async def test_what_was_not_checked_is_not_verified(
    plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MAX_CHECKED", 1)
    monkeypatch.setattr(checking, "PAGE", 1)
    async with plane.services.database.read() as session:
        entries = AuditEntries(session, AuditScope(ana.workspace_id))
        check = ChainCheck(entries, ana.workspace_id, plane.services.keys, plane.services.sealer)
        await check.run()
    assert check.errors == ["entries after 1 were not checked: there are too many for one export"]


async def _change(plane: Governed, statement: object) -> None:
    async with plane.services.database.write() as session:
        await session.execute(statement)
