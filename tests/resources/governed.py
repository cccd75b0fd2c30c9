"""A whole control plane in a temporary directory, over SQLite or a PostgreSQL, under a clock that tests hold: people, agents, decisions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from msgspec import Struct
from prometheus_client import CollectorRegistry

from mutx.governance.answer import Answer
from mutx.governance.context import ContextAccumulator
from mutx.governance.keys import KeyRing
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Caller, Door, PrincipalKind, ToolCall
from mutx.kit.clock import ManualClock
from mutx.resources.audit.sink import AuditSink
from mutx.resources.audit.trail import AuditTrail
from mutx.resources.delegations.book import DelegationBook
from mutx.resources.policies.engines import PolicyEngines
from mutx.server.app import create_app
from mutx.server.audit import open_trail
from mutx.server.database import open_database, open_ledger
from mutx.server.doors.http import hot_routes
from mutx.server.doors.verbs import Verbs
from mutx.server.home import open_authentication, prepare
from mutx.server.identities import KnownIdentities
from mutx.server.openapi import DescribedApi
from mutx.server.secrets import open_sealer
from mutx.server.settings import Settings
from mutx.server.sinks import topics_of
from mutx.server.wiring import governance, self_assessment
from mutx.services.evalview.service import EvalView
from mutx.services.evalview.watch import AgentWatch
from mutx.services.signing import EphemeralSigner
from mutx.storage.coordination import LocalBus
from mutx.storage.outbox import OutboxPump
from mutx.web.access import AGENT_SCOPES
from mutx.web.revocation import Revocations
from mutx.web.services import Services
from tests.server.plane import make_tables

PASSWORD = "correct horse battery"
AGENT, SESSION = "shop-agent", "afternoon"

POLICY = """
name: shop
default: deny
tools:
  - {name: read_stock, output: {confidentiality: internal, trusted: true}}
rules:
  - {id: reads, match: {tool: "read_*"}, effect: allow}
  - {id: masks, match: {tool: mail}, effect: modify, modify: [{redact: body, detector: ssn}]}
  - {id: asks, match: {tool: pay}, effect: step_up, reason: payments are looked at}
  - {id: waits, match: {tool: guess}, effect: defer, reason: not clear what is meant}
  - {id: never, match: {tool: drop}, effect: deny, reason: tables are never dropped}
"""


class Somebody(Struct, frozen=True):
    """A person who is signed in."""

    http: httpx2.AsyncClient
    user_id: str
    workspace_id: str
    email: str

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.http.get(path, params=query)

    async def post(self, path: str, body: Any = None) -> httpx2.Response:
        return await self.http.post(path, json=body)

    async def apply(self, document: str = POLICY, name: str = "shop") -> dict[str, Any]:
        answer = await self.http.put(f"/v1/policies/{name}", json={"name": name, "document": document})
        assert answer.status_code == 200, answer.text
        return answer.json()


class Governed(Struct, frozen=True):
    app: DescribedApi
    services: Services
    engines: PolicyEngines
    clock: ManualClock
    audit: AuditSink
    trail: AuditTrail

    def client(self, token: str | None = None) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)

    async def person(self, name: str = "ana") -> Somebody:
        """Registering makes a workspace of one's own, so two people are two tenants."""
        email = f"{name}@example.org"
        body = {"email": email, "name": name, "password": PASSWORD}
        tokens = (await self.client().post("/v1/auth/register", json=body)).json()
        http = self.client(tokens["access_token"])
        me = (await http.get("/v1/auth/me")).json()
        return Somebody(http, me["id"], me["workspace_id"], email)

    def agent(self, somebody: Somebody, agent_id: str = AGENT) -> Caller:
        """An agent that acts for somebody, as its own key authenticates it."""
        return Caller(
            workspace_id=somebody.workspace_id,
            principal_id=f"key-of-{agent_id}",
            kind=PrincipalKind.AGENT,
            door=Door.HTTP,
            user_id=somebody.user_id,
            agent_id=agent_id,
            scopes=AGENT_SCOPES,
            method="agent_key",
        )

    async def decide(self, caller: Caller, tool: str, session: str = SESSION, **args: Any) -> Answer:
        call = ToolCall(tool_name=tool, tool_args=args, agent_id=caller.agent_id or AGENT, session_id=session)
        return await self.services.pipeline.decide(call, caller)

    async def conclude(self, caller: Caller, answer: Answer, result: Any = "done") -> None:
        outcome = Outcome(status=OutcomeStatus.EXECUTED, result=result, duration_ms=7)
        await self.services.pipeline.conclude(answer.action_id, outcome, caller)

    async def settle(self) -> None:
        """Let the audit log hear everything that was committed."""
        pump = OutboxPump(self.services.ledger, [self.audit])
        while await pump.deliver(self.audit):
            continue


class Trusting:
    """Identities as they were when they asked: agents here have no stored key."""

    def __init__(self, known: KnownIdentities) -> None:
        self._known = known

    async def current(self, caller: Caller) -> Caller | None:
        return caller if caller.kind is PrincipalKind.AGENT else await self._known.current(caller)

    async def may_approve_own(self, workspace_id: str) -> bool:
        return await self._known.may_approve_own(workspace_id)


@asynccontextmanager
async def governed(home: Path, database_url: str = "") -> AsyncIterator[Governed]:
    settings = Settings(
        home=home, database_url=database_url, rate_limit_requests=100_000, auth_rate_limit_requests=100_000
    )
    prepare(settings.home)
    clock, bus, signer, accumulator = ManualClock(), LocalBus(), EphemeralSigner(), ContextAccumulator()
    database = open_database(settings)
    await database.start(make_tables(settings))
    auth = open_authentication(settings, clock)
    identities = KnownIdentities(database, auth, clock)
    ledger = open_ledger(database, accumulator, clock)
    await ledger.start()
    engines = PolicyEngines(database, bus)
    keys, sealer = KeyRing((signer.public_key,)), open_sealer(settings)
    trail = open_trail(database, signer, keys, sealer, clock)
    audit = AuditSink(database, bus, trail)
    parts = (bus, ledger, engines, Trusting(identities), signer, accumulator, clock)
    book = DelegationBook(database, identities, signer, keys)
    watch = AgentWatch()
    pipeline = governance(*parts, topics_of([audit]), book, watch)
    services = Services(
        evalview=EvalView(),
        watch=watch,
        database=database,
        ledger=ledger,
        pipeline=pipeline,
        policies=engines,
        bus=bus,
        clock=clock,
        signer=signer,
        auth=auth,
        revocations=Revocations(database, auth.callers, bus, clock),
        sealer=sealer,
        registry=CollectorRegistry(),
        keys=keys,
        compliance=self_assessment(clock),
        delegations=book,
    )
    app = create_app(services, settings, identities, doors=hot_routes(Verbs(pipeline, bus, clock)))
    try:
        yield Governed(app, services, engines, clock, audit, trail)
    finally:
        await ledger.stop()
        await database.stop()
        auth.passwords.close()
