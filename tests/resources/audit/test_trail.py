"""The log is written with what it records: committed together, sealed at rest, signed at its end."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from mutx.governance.audit.head import open_head
from mutx.governance.keys import KeyRing
from mutx.governance.turn import Event
from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.resources.audit.trail import AuditTrail
from mutx.server.reseal import reseal
from mutx.services.identity.sealing import Sealer
from mutx.services.signing import EphemeralSigner
from mutx.storage.outbox import tell
from tests.resources.governed import AGENT, PASSWORD, Governed, Somebody
from tests.server.plane import on_both


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    return await plane.person()


def _news(ana: Somebody, at: float = 1.0, name: str = "POLICY_CHANGE", **said: object) -> Event:
    payload = {"event_type": name, "user_id": ana.user_id, **said}
    return Event(topic="audit.test", workspace_id=ana.workspace_id, at=at, payload=payload)


async def _chain(plane: Governed, ana: Somebody) -> AuditChainRow:
    async with plane.services.database.read() as session:
        found = await session.get(AuditChainRow, ana.workspace_id)
    assert found is not None
    return found


async def _told_in_vain(plane: Governed, news: Event) -> None:
    async with plane.services.database.write() as session:
        await tell(session, [news])
        raise ZeroDivisionError


async def _change(plane: Governed, statement: object) -> None:
    async with plane.services.database.write() as session:
        await session.execute(statement)  # type: ignore[call-overload]


async def _export(ana: Somebody) -> dict:
    return (await ana.get("/v1/audit/export")).json()


async def test_a_sign_in_is_in_the_log_when_it_is_answered(plane: Governed, ana: Somebody) -> None:
    await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": PASSWORD})
    listed = (await ana.get("/v1/audit/events", event_type="LOGIN")).json()
    assert listed["total"] == 2  # registering signs in as well; nobody has carried an outbox


async def test_what_is_undone_is_not_in_the_log(plane: Governed, ana: Somebody) -> None:
    before = await _chain(plane, ana)
    with pytest.raises(ZeroDivisionError):
        await _told_in_vain(plane, _news(ana))
    after = await _chain(plane, ana)
    assert (after.sequence, after.hash) == (before.sequence, before.hash)
    assert (await ana.get("/v1/audit/events", event_type="POLICY_CHANGE")).json()["total"] == 0


async def test_what_the_outbox_brings_again_is_there_once(plane: Governed, ana: Somebody) -> None:
    await ana.apply()
    before = (await ana.get("/v1/audit/events")).json()["total"]
    await plane.settle()
    await plane.settle()
    assert (await ana.get("/v1/audit/events")).json()["total"] == before
    assert (await _export(ana))["verified"] is True


@on_both
async def test_many_writers_make_one_chain(plane: Governed, ana: Somebody) -> None:
    async def write(number: int) -> None:
        async with plane.services.database.write() as session:
            await tell(session, [_news(ana, float(number), number=number)])

    await asyncio.gather(*map(write, range(20)))
    export = await _export(ana)
    assert (export["verified"], export["errors"]) == (True, [])
    assert sum(each["event_type"] == "POLICY_CHANGE" for each in export["events"]) == 20


async def test_payloads_are_sealed_at_rest(plane: Governed, ana: Somebody, tmp_path: Path) -> None:
    async with plane.services.database.write() as session:
        await tell(session, [_news(ana, remark="a-plain-secret")])
    async with plane.services.database.read() as session:
        rows = (await session.execute(text("SELECT * FROM audit_events"))).all()
    assert "a-plain-secret" not in str(rows)
    assert plane.services.sealer.key_id in str(rows)
    shown = (await ana.get("/v1/audit/events", event_type="POLICY_CHANGE")).json()["events"]
    assert shown[0]["payload"]["remark"] == "a-plain-secret"


async def test_a_payload_of_another_row_does_not_open(plane: Governed, ana: Somebody) -> None:
    for number in (1.0, 2.0):
        async with plane.services.database.write() as session:
            await tell(session, [_news(ana, number, number=number)])
    mine = AuditEventRow.event_type == "POLICY_CHANGE"
    async with plane.services.database.write() as session:
        first, second = (await session.scalars(select(AuditEventRow).where(mine))).all()
        first.sealed = second.sealed
    shown = (await ana.get("/v1/audit/events", event_type="POLICY_CHANGE")).json()["events"]
    assert [(each["payload"], each["redaction_status"]) for each in shown][-1] == ({}, "unreadable")
    assert "cannot be opened" in (await _export(ana))["errors"][0]


async def test_sealing_anew_changes_no_hash(plane: Governed, ana: Somebody) -> None:
    await ana.apply()
    old = plane.services.sealer
    fresh = Sealer([bytes(range(1, 33)), *old._keys.values()])
    assert await reseal(plane.services.database, fresh) >= 1
    async with plane.services.database.read() as session:
        sealed = (await session.scalars(select(AuditEventRow.sealed))).all()
    assert all(fresh.is_current(each or "") for each in sealed)
    assert sealed


async def test_the_end_is_signed_with_every_entry(plane: Governed, ana: Somebody) -> None:
    await ana.apply()
    chain = await _chain(plane, ana)
    head = open_head((chain.statement or "").encode(), plane.services.keys)
    assert (head.workspace, head.seq, head.hash) == (ana.workspace_id, chain.sequence, chain.hash)


async def test_a_removed_end_shows(plane: Governed, ana: Somebody) -> None:
    await ana.apply()
    chain = await _chain(plane, ana)
    last = (AuditEventRow.workspace_id == ana.workspace_id, AuditEventRow.sequence == chain.sequence)
    await _change(plane, delete(AuditEventRow).where(*last))
    export = await _export(ana)
    assert export["verified"] is False
    assert f"its signed end says {chain.sequence}" in export["errors"][0]


@pytest.mark.parametrize("how", ["unsigned", "forged", "gone"])
async def test_an_end_that_was_moved_shows_for_good(plane: Governed, ana: Somebody, how: str) -> None:
    """The last entry is removed and the end put back to match: the signature cannot be, and the next entry says so."""
    await ana.apply()
    report = {"event_type": "LLM_CALL", "agent_id": AGENT}
    await ana.post("/v1/audit/events", report)
    chain = await _chain(plane, ana)
    mine = AuditEventRow.workspace_id == ana.workspace_id
    async with plane.services.database.write() as session:
        await session.execute(delete(AuditEventRow).where(mine, AuditEventRow.sequence == chain.sequence))
        before = (
            await session.scalars(select(AuditEventRow).where(mine, AuditEventRow.sequence == chain.sequence - 1))
        ).one()
        this = AuditChainRow.workspace_id == ana.workspace_id
        moved = {"sequence": before.sequence, "hash": before.integrity_hash}
        if how == "gone":
            await session.execute(delete(AuditChainRow).where(this))
        else:
            statement = None if how == "unsigned" else chain.statement
            await session.execute(update(AuditChainRow).where(this).values(**moved, statement=statement))
    assert (await _export(ana))["verified"] is False
    await ana.post("/v1/audit/events", report)
    export = await _export(ana)
    assert export["verified"] is False
    assert any("entries before it may be missing" in error for error in export["errors"])
    broken = (await ana.get("/v1/audit/events", event_type="AUDIT_HEAD_INVALID")).json()
    assert broken["total"] == 1


async def test_an_end_that_another_key_signed_is_not_believed(plane: Governed, ana: Somebody) -> None:
    stranger = EphemeralSigner()
    services = plane.services
    trail = AuditTrail(stranger, KeyRing((stranger.public_key,)), services.sealer, services.clock)
    async with services.database.write() as session:
        trail.sign(await trail.hold(session, ana.workspace_id))
    errors = (await _export(ana))["errors"]
    assert any("no trusted key" in error for error in errors)


async def test_an_unchanged_link_with_another_content_shows(plane: Governed, ana: Somebody) -> None:
    async with plane.services.database.write() as session:
        await tell(session, [_news(ana, remark="true")])
        row = (await session.scalars(select(AuditEventRow).where(AuditEventRow.event_type == "POLICY_CHANGE"))).one()
        context = f"audit_events/sealed/{row.id}"
        row.sealed = plane.services.sealer.seal(b'{"remark":"false"}', context=context)
    assert "was changed" in (await _export(ana))["errors"][0]


async def test_a_content_that_nobody_had_erased_shows(plane: Governed, ana: Somebody) -> None:
    await ana.apply()
    gone = update(AuditEventRow).where(AuditEventRow.event_type == "POLICY_CHANGE")
    await _change(plane, gone.values(salt=None, sealed=None))
    assert any("was removed by nobody" in error for error in (await _export(ana))["errors"])


async def test_a_workspace_without_entries_is_whole(plane: Governed, ana: Somebody) -> None:
    await _change(plane, delete(AuditEventRow))
    await _change(plane, delete(AuditChainRow))
    assert (await _export(ana))["verified"] is True
