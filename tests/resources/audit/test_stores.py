"""The log is the same on both stores: appended with what it records, in one chain, pruned and proved."""

import asyncio

from mutx.governance.audit.verify import verify_evidence
from mutx.governance.turn import Event
from mutx.resources.audit.classes import DAY, RetentionRules
from mutx.resources.audit.retention import AuditRetention
from mutx.storage.outbox import tell
from tests.resources.governed import AGENT, PASSWORD, Governed, Somebody
from tests.server.plane import on_both


@on_both
async def test_a_chain_is_written_pruned_and_proved(plane: Governed) -> None:
    ana = await plane.person()
    await asyncio.gather(*(_write(plane, ana, number) for number in range(8)))
    report = {"event_type": "LLM_CALL", "agent_id": AGENT, "payload": {"model": "m-1"}}
    event_id = (await ana.post("/v1/audit/events", report)).json()["event_id"]
    assert (await ana.http.delete(f"/v1/audit/events/{event_id}")).status_code == 204
    export = (await ana.get("/v1/audit/export")).json()
    assert (export["verified"], export["errors"]) == (True, [])
    plane.clock.advance(366 * DAY)
    services = plane.services
    retention = AuditRetention(services.database, services.ledger, plane.trail, RetentionRules(), services.clock)
    assert await retention.run() == 9  # the sign-in of registering, and the eight
    tokens = (await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": PASSWORD})).json()
    evidence = await plane.client(tokens["access_token"]).get("/v1/audit/evidence")
    proved = verify_evidence(evidence.content, services.keys)
    assert (proved.verdict, proved.errors, proved.pruned) == ("verified", (), 10)


async def _write(plane: Governed, ana: Somebody, number: int) -> None:
    said = {"event_type": "LOGIN", "user_id": ana.user_id, "number": number}
    async with plane.services.database.write() as session:
        await tell(session, [Event(topic="audit.login", workspace_id=ana.workspace_id, at=1.0 * number, payload=said)])
