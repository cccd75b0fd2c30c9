"""The audit trail hears who came, who failed, and what was changed, in the same write."""

from sqlalchemy import select

from mutx.resources.auth.jobs import record_failed_logins
from mutx.storage.ledger_tables import outbox
from tests.server.plane import PASSWORD, Plane


async def test_what_happened_is_told(plane: Plane) -> None:
    ana = await plane.register()
    await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": "wrong"})
    await record_failed_logins(plane.services.database, plane.services.auth)
    key = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()
    await ana.http.post(f"/v1/api-keys/{key['id']}/rotate")
    await ana.http.delete(f"/v1/api-keys/{key['id']}")
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    await ana.http.patch(f"/v1/agents/{agent}/config", json={"config": {"model": "gpt-5"}})
    await ana.http.delete(f"/v1/agents/{agent}")
    await ana.http.patch(f"/v1/workspaces/{ana.me['workspace_id']}", json={"name": "Lab"})
    for _ in range(2):
        await plane.client().post("/v1/auth/refresh", json={"refresh_token": ana.tokens["refresh_token"]})
    async with plane.services.database.read() as session:
        rows = (await session.execute(select(outbox.c.workspace_id, outbox.c.payload).order_by(outbox.c.id))).all()
    assert [payload["event_type"] for _, payload in rows] == [
        "LOGIN",
        "LOGIN_FAILED",
        "API_KEY_CREATED",
        "API_KEY_ROTATED",
        "API_KEY_DELETED",
        "AGENT_CREATED",
        "AGENT_CONFIGURED",
        "AGENT_DELETED",
        "WORKSPACE_CHANGED",
        "LOGIN_TOKEN_REUSED",
    ]
    assert {workspace for workspace, _ in rows} == {ana.me["workspace_id"]}
    assert {payload["user_id"] for _, payload in rows} == {ana.me["id"]}
    assert key["key"] not in str(rows)
    assert PASSWORD not in str(rows)
