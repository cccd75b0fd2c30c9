"""A control plane's HTTP side over a real database in a temporary directory, under a clock that tests hold."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from msgspec import Struct
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from mutx.governance.context import ContextAccumulator
from mutx.governance.keys import KeyRing
from mutx.kit.clock import ManualClock
from mutx.server.app import create_app
from mutx.server.database import open_database
from mutx.server.guardrails import open_evalview
from mutx.server.home import open_authentication, prepare
from mutx.server.identities import KnownIdentities
from mutx.server.openapi import DescribedApi
from mutx.server.secrets import installation_keys, open_sealer
from mutx.server.settings import Settings
from mutx.server.tables import METADATA
from mutx.services.signing.signer import EphemeralSigner
from mutx.storage.coordination import LocalBus
from mutx.storage.memory import MemoryLedger
from mutx.web.revocation import Revocations
from mutx.web.services import Services

PASSWORD = "correct horse battery"
ORIGIN = "http://127.0.0.1:8000"


class Plane(Struct, frozen=True):
    app: DescribedApi
    services: Services
    identities: KnownIdentities
    settings: Settings
    clock: ManualClock

    def client(self, token: str | None = None, *, address: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx2.ASGITransport(app=self.app, client=(address, 40_000), raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def register(self, email: str = "ana@example.org", name: str = "Ana") -> "Person":
        async with self.client() as http:
            answer = await http.post("/v1/auth/register", json={"email": email, "name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        tokens = answer.json()
        http = self.client(tokens["access_token"])
        return Person(http, email, tokens, (await http.get("/v1/auth/me")).json())


class Person(Struct, frozen=True):
    """Somebody who is signed in."""

    http: httpx2.AsyncClient
    email: str
    tokens: Mapping[str, Any]
    me: Mapping[str, Any]


STORES = ("sqlite", "postgresql")
"""For `params=`: the stories of a slice are told on both."""

on_both = pytest.mark.parametrize("plane", STORES, indirect=True)
"""For one story of a slice whose others are told on SQLite alone."""


def store_url(request: pytest.FixtureRequest) -> str:
    """DATABASE_URL of a store with every table and no row; empty is SQLite in the home directory."""
    chosen = getattr(request, "param", "sqlite")
    return str(request.getfixturevalue("postgres_url")) if chosen == "postgresql" else ""


def make_tables(settings: Settings) -> Callable[[Connection], None]:
    """Straight from the code on SQLite, which is quick; a PostgreSQL of these tests has gone through the migrations."""
    return METADATA.create_all if not settings.database_url else lambda _: None


@asynccontextmanager
async def running(
    home: Path, *, doors: Mapping[str, Any] | None = None, shared: bool = False, **given: Any
) -> AsyncIterator[Plane]:
    """Settings are the defaults, with rate limits out of the way unless `given` says otherwise.

    `shared`: this plane is one of several on the same store, with the keys that lie there.
    """
    generous = {"rate_limit_requests": 100_000, "auth_rate_limit_requests": 100_000}
    settings = Settings(home=home, **{**generous, **given})
    prepare(settings.home)
    clock, database = ManualClock(), open_database(settings)
    await database.start(make_tables(settings))
    bus, sealer = LocalBus(), open_sealer(settings)
    keys = await installation_keys(settings, database, sealer, clock) if shared else None
    auth = open_authentication(settings, clock, keys)
    services = Services(
        database=database,
        ledger=MemoryLedger(ContextAccumulator(), clock),
        pipeline=cast("Any", None),  # the slices under test never reach it
        policies=cast("Any", None),
        bus=bus,
        clock=clock,
        signer=EphemeralSigner(),
        auth=auth,
        revocations=Revocations(database, auth.callers, bus, clock, shared=shared),
        sealer=sealer,
        evalview=open_evalview(settings),
        registry=CollectorRegistry(),
        keys=KeyRing(),
        compliance=cast("Any", None),
    )
    identities = KnownIdentities(database, auth, clock)
    app = create_app(services, settings, identities, doors=doors or {})
    try:
        yield Plane(app, services, identities, settings, clock)
    finally:
        await database.stop()
        auth.passwords.close()
