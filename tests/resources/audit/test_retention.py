"""Nothing is kept longer than its class says, and what is left still proves itself."""

from typing import Any

import pytest
from sqlalchemy import func, select

from mutx.governance.audit.verify import verify_evidence
from mutx.governance.turn import Event
from mutx.resources.audit.classes import DAY, RetentionClass, RetentionRules, retention_class
from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.resources.audit.retention import AuditRetention
from mutx.server.audit import retention_rules
from mutx.server.settings import Settings
from mutx.storage.outbox import tell
from tests.resources.governed import AGENT, SESSION, Governed, Somebody
from tests.server.plane import on_both


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    """A sign-in, a policy, a run's own words: 1, 7 and a quarter of a year."""
    ana = await plane.person()
    await ana.apply()
    await ana.post("/v1/audit/events", {"event_type": "LLM_CALL", "agent_id": AGENT, "session_id": SESSION})
    return ana


def _retention(plane: Governed, **days: int) -> AuditRetention:
    services = plane.services
    return AuditRetention(services.database, services.ledger, plane.trail, RetentionRules(**days), services.clock)


async def _kinds(plane: Governed, ana: Somebody) -> list[str]:
    async with plane.services.database.read() as session:
        mine = select(AuditEventRow.event_type).where(AuditEventRow.workspace_id == ana.workspace_id)
        return list(await session.scalars(mine.order_by(AuditEventRow.sequence)))


async def _proved(plane: Governed, ana: Somebody) -> dict[str, Any]:
    """By the server, and by whoever has the file and the key."""
    fresh = await _again(plane, ana)
    export = (await fresh.get("/v1/audit/export")).json()
    assert (export["verified"], export["errors"]) == (True, [])
    report = verify_evidence((await fresh.get("/v1/audit/evidence")).content, plane.services.keys)
    assert (report.verdict, report.errors) == ("verified", ())
    return export


async def _again(plane: Governed, ana: Somebody) -> Somebody:
    """Signed in anew: days have passed."""
    body = {"email": ana.email, "password": "correct horse battery"}
    tokens = (await plane.client().post("/v1/auth/login", json=body)).json()
    return Somebody(plane.client(tokens["access_token"]), ana.user_id, ana.workspace_id, ana.email)


async def test_each_class_goes_in_its_time(plane: Governed, ana: Somebody) -> None:
    assert await _kinds(plane, ana) == ["LOGIN", "POLICY_CHANGE", "LLM_CALL"]
    retention = _retention(plane)
    assert await retention.run() == 0
    plane.clock.advance(91 * DAY)
    assert await retention.run() == 1
    assert await _kinds(plane, ana) == ["LOGIN", "POLICY_CHANGE", "ERASED", "AUDIT_PRUNED"]
    export = await _proved(plane, ana)
    pruned = next(each for each in export["events"] if each["event_type"] == "AUDIT_PRUNED")
    assert (pruned["payload"]["retention"], pruned["payload"]["entries"]) == ("agent_execution", 1)
    assert (pruned["actor_type"], pruned["actor_id"]) == ("system", "retention")
    assert await retention.run() == 0


async def test_the_oldest_links_go_once_they_are_empty(plane: Governed, ana: Somebody) -> None:
    retention = _retention(plane)
    plane.clock.advance(366 * DAY)
    assert await retention.run() == 2
    # the sign-in was the oldest: its link is gone; the change stands before what else is empty
    assert (await _kinds(plane, ana))[:2] == ["POLICY_CHANGE", "ERASED"]
    async with plane.services.database.read() as session:
        chain = await session.get_one(AuditChainRow, ana.workspace_id)
    assert chain.base == 1
    await _proved(plane, ana)
    plane.clock.advance((7 * 365 + 1) * DAY)
    await retention.run()
    assert set(await _kinds(plane, ana)) == {"AUDIT_PRUNED"}
    await _proved(plane, ana)


async def test_everything_may_go(plane: Governed, ana: Somebody) -> None:
    retention = _retention(plane, login=1, configuration=1, agent_execution=1, key_access=1, agent_creation=1)
    plane.clock.advance(100 * DAY)
    await retention.run()
    plane.clock.advance(100 * DAY)
    await _again(plane, ana)
    plane.clock.advance(2 * DAY)
    await retention.run()
    await _proved(plane, ana)


async def test_zero_days_keep_for_ever(plane: Governed, ana: Somebody) -> None:
    rules = dict.fromkeys(RetentionRules.__struct_fields__, 0)
    plane.clock.advance(100 * 365 * DAY)
    assert await _retention(plane, **rules).run() == 0
    assert RetentionRules(**rules).days(RetentionClass.AUDIT) == 0
    assert RetentionRules().days(RetentionClass.AUDIT) == 7 * 365


@on_both
async def test_arguments_and_results_go_and_receipts_stay(plane: Governed, ana: Somebody) -> None:
    agent = plane.agent(ana)
    old = await plane.decide(agent, "read_stock", item="tea")
    await plane.conclude(agent, old, "much")
    await plane.decide(agent, "drop")
    plane.clock.advance(80 * DAY)
    young = await plane.decide(agent, "read_stock", session="evening", item="milk")
    plane.clock.advance(11 * DAY)
    retention = _retention(plane)
    await retention.run()
    fresh = await _again(plane, ana)
    receipt = (await fresh.get(f"/v1/security/receipts/{old.receipt_id}")).json()
    assert (receipt["tool_args"], receipt["erased"]) == (None, ["tool_args"])
    kept = (await fresh.get(f"/v1/security/receipts/{young.receipt_id}")).json()
    assert (kept["tool_args"], kept["erased"]) == ({"item": "milk"}, [])
    export = await _proved(plane, ana)
    pruned = [each["payload"] for each in export["events"] if each["event_type"] == "AUDIT_PRUNED"]
    assert [each["actions"] for each in pruned if "actions" in each] == [2]
    plane.clock.advance(3600)
    before = len(await _kinds(plane, ana))
    await retention.run()
    assert len(await _kinds(plane, ana)) == before
    plane.clock.advance(80 * DAY)
    await retention.run()
    last = await _again(plane, ana)
    assert (await last.get(f"/v1/security/receipts/{young.receipt_id}")).json()["erased"] == ["tool_args"]


async def test_more_than_a_batch_goes_in_several(
    plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutx.resources.audit.retention.BATCH", 2)
    async with plane.services.database.write() as session:
        await tell(session, [_login(ana, plane.clock.now() + number) for number in range(5)])
    plane.clock.advance(400 * DAY)
    assert await _retention(plane).run() == 7
    async with plane.services.database.read() as session:
        left = await session.scalar(select(func.count()).where(AuditEventRow.salt.is_(None)))
    assert left is not None
    await _proved(plane, ana)


def _login(ana: Somebody, at: float) -> Event:
    return Event(topic="audit.login", workspace_id=ana.workspace_id, at=at, payload={"event_type": "LOGIN"})


@pytest.mark.parametrize(
    ("event_type", "kept"),
    [
        ("LOGIN_FAILED", RetentionClass.LOGIN),
        ("API_KEY_USED", RetentionClass.KEY_ACCESS),
        ("API_KEY_CREATED", RetentionClass.CONFIGURATION),
        ("AGENT_CREATED", RetentionClass.AGENT_CREATION),
        ("AGENT_CONFIGURED", RetentionClass.CONFIGURATION),
        ("AGENT_START", RetentionClass.AGENT_EXECUTION),
        ("MEMBER_CHANGED", RetentionClass.CONFIGURATION),
        ("NETWORK_REFUSED", RetentionClass.NETWORK),
        ("AUDIT_PRUNED", RetentionClass.AUDIT),
        ("NEVER_HEARD_OF", RetentionClass.CONFIGURATION),
    ],
)
def test_each_event_has_a_class(event_type: str, kept: RetentionClass) -> None:
    assert retention_class(event_type) is kept


def test_settings_say_how_long() -> None:
    assert retention_rules(Settings()) == RetentionRules()
    assert retention_rules(Settings(audit_retention_login_days=3)).days(RetentionClass.LOGIN) == 3
