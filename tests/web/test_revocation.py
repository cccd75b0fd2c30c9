"""Two replicas on one store: what one revoked, the other refuses from the moment the first has answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from mutx.kit.clock import SystemClock
from mutx.kit.errors import Unauthenticated
from mutx.resources.api_keys.models import ApiKeyRow
from mutx.server.home import open_authentication
from mutx.server.identities import KnownIdentities
from mutx.server.settings import Settings
from mutx.services.identity.authentication import Authentication
from mutx.storage.coordination import LocalBus
from mutx.storage.revocations import read_epoch
from mutx.web import revocation
from mutx.web.revocation import Revocations
from tests.server.plane import Plane


class Replica(Struct, frozen=True):
    auth: Authentication
    identities: KnownIdentities
    revocations: Revocations


class Deaf(LocalBus):
    """A bus whose messages arrive nowhere, as when Redis is away."""

    def publish(self, topic: str, data: dict[str, object]) -> None:
        pass


def replica(plane: Plane, bus: LocalBus) -> Replica:
    """Another process, as far as memory goes."""
    clock = SystemClock()
    auth = open_authentication(plane.settings, clock)
    database = plane.services.database
    return Replica(
        auth,
        KnownIdentities(database, auth, clock),
        Revocations(database, auth.callers, bus, clock, shared=True),
    )


@pytest.fixture(params=[LocalBus, Deaf])
async def replicas(plane: Plane, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Replica, Replica]]:
    bus = request.param()
    made = replica(plane, bus), replica(plane, bus)
    yield made
    for each in made:
        each.auth.passwords.close()


async def key_of(plane: Plane) -> tuple[str, str]:
    ana = await plane.register()
    made = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()
    return made["id"], made["key"]


async def test_a_key_that_one_replica_revoked_is_refused_by_the_other_at_once(
    plane: Plane, replicas: tuple[Replica, Replica]
) -> None:
    here, there = replicas
    key_id, key = await key_of(plane)
    for each in replicas:
        await each.revocations.refresh()
        await each.identities.authenticate(key)
    assert there.identities.cached(key) is not None

    async def watching() -> None:
        while True:
            await there.revocations.follow()

    watch = asyncio.create_task(watching())
    async with here.revocations.unit() as session:
        row = await session.get_one(ApiKeyRow, key_id)
        row.revoked_at = row.created_at
        await here.revocations.revoke(session)
    for each in replicas:
        assert each.identities.cached(key) is None
        with pytest.raises(Unauthenticated):
            await each.identities.authenticate(key)
    watch.cancel()


async def test_a_replica_that_cannot_ask_trusts_its_memory_no_longer(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "LEASE", 0.05)
    here = replica(plane, LocalBus())
    _, key = await key_of(plane)
    await here.identities.authenticate(key)
    assert here.identities.cached(key) is None  # never asked yet
    await here.revocations.refresh()
    await here.identities.authenticate(key)
    assert here.identities.cached(key) is not None
    await asyncio.sleep(0.06)
    assert here.identities.cached(key) is None
    await here.identities.authenticate(key)  # the store still knows
    here.auth.passwords.close()


async def test_what_is_rolled_back_revokes_nobody(plane: Plane) -> None:
    ana = await plane.register()
    token = ana.tokens["access_token"]
    assert plane.identities.cached(token) is not None

    async def undone() -> None:
        async with plane.services.revocations.unit() as session:
            await plane.services.revocations.revoke(session)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await undone()
    assert plane.identities.cached(token) is not None
    async with plane.services.database.read() as session:
        assert await read_epoch(session) == 0


async def test_the_epoch_moves_with_every_revocation(plane: Plane) -> None:
    ana = await plane.register()
    for count in (1, 2):
        made = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()
        await ana.http.delete(f"/v1/api-keys/{made['id']}")
        async with plane.services.database.read() as session:
            assert await read_epoch(session) == count


async def test_a_store_that_is_away_ends_the_watch_of_nobody(plane: Plane) -> None:
    here = replica(plane, LocalBus())
    await plane.services.database.stop()
    plane.services.database.path.write_bytes(b"not a database" * 100)
    await here.revocations.follow()
    here.auth.passwords.close()


async def test_one_replica_alone_waits_for_nobody(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert not settings.is_shared
    assert Settings(database_url="postgresql+asyncpg://db/mutx").is_shared
