"""The audit trail hears who came, who failed, and what was changed, in the same write."""

from sqlalchemy import select

from mutx.resources.auth.jobs import record_failed_logins
from mutx.server.identity_jobs import identity_jobs
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


async def test_a_failed_sign_in_waits_for_a_store_that_is_away(plane: Plane) -> None:
    ana = await plane.register()
    (job,) = (each for each in identity_jobs(plane.services, None) if each.name == "failed-logins")
    assert job.seconds < 1, "soon after the answer, but not in the request: that would tell which accounts exist"
    guess = {"email": ana.email, "password": "wrong"}
    assert (await plane.client().post("/v1/auth/login", json=guess)).status_code == 401
    await job.job()
    async with plane.services.database.read() as session:
        assert "LOGIN_FAILED" in str((await session.execute(select(outbox.c.payload))).all())
    await plane.services.database.writer.stop()
    assert (await plane.client().post("/v1/auth/login", json=guess)).status_code == 401
    await job.job()
    assert len(plane.services.auth.failed_logins) == 1
