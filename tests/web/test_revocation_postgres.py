"""Two processes' worth of control plane on one PostgreSQL, each with a pool and a memory of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mutx.services.identity.sealing import new_sealing_key
from tests.server.plane import Plane, running

SEALING = new_sealing_key()


@asynccontextmanager
async def replica(home: Path, url: str) -> AsyncIterator[Plane]:
    """As wiring makes one beside others: it watches what they revoke."""
    async with running(home, database_url=url, secret_encryption_key=SEALING, shared=True) as plane:

        async def watching() -> None:
            while True:
                await plane.services.revocations.follow()

        watch = asyncio.create_task(watching())
        try:
            yield plane
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def test_what_one_replica_revoked_the_other_refuses_at_once(tmp_path: Path, postgres_url: str) -> None:
    async with replica(tmp_path / "one", postgres_url) as here, replica(tmp_path / "two", postgres_url) as there:
        ana = await here.register()
        token = ana.tokens["access_token"]
        key = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()
        agent = (await ana.http.post("/v1/agents/register", json={"name": "bot"})).json()
        for credential in (token, key["key"], agent["api_key"]):
            assert (await there.client(credential).get("/v1/agents")).status_code == 200
        await ana.http.delete(f"/v1/api-keys/{key['id']}")
        assert (await there.client(key["key"]).get("/v1/agents")).status_code == 401
        await ana.http.delete(f"/v1/agents/{agent['agent_id']}")
        assert (await there.client(agent["api_key"]).get("/v1/agents")).status_code == 401
        assert (await there.client(token).get("/v1/agents")).status_code == 200
        await there.client(token).post("/v1/auth/logout")
        assert (await ana.http.get("/v1/agents")).status_code == 401
