"""The composition root: the only place that picks implementations.

`build` makes a control plane that is ready to answer; `ControlPlane.start` adds what runs beside requests: timers, the
outbox, the Unix socket. The same plane serves `mutx up` (HTTP and socket) and embedded mode (neither).
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from mutx.governance.approvals import ApprovalService
from mutx.governance.compliance import AARMComplianceChecker
from mutx.governance.compliance_lab import Laboratory
from mutx.governance.context import ContextAccumulator
from mutx.governance.gather import Gatherer
from mutx.governance.keys import KeyRing
from mutx.governance.mediator import ActionMediator
from mutx.governance.permits import Permits
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.ports import Delegations, Embedder, Identities, Policies, Signer, Sink
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.recorder import Recorder
from mutx.governance.release import Releases
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.clock import Clock, SystemClock
from mutx.resources.audit.trail import AuditTrail
from mutx.resources.auth.service import Logins
from mutx.resources.delegations.book import DelegationBook
from mutx.resources.health.vitals import Vitals
from mutx.resources.policies.engines import PolicyEngines
from mutx.resources.policies.watch import PolicyWatch
from mutx.server.app import ControlPlaneApp, create_app
from mutx.server.audit import open_trail, retention_task
from mutx.server.coordination import Coordination, open_coordination
from mutx.server.database import open_database, open_ledger
from mutx.server.delegating import delegation_verbs
from mutx.server.doors.http import hot_routes
from mutx.server.doors.sockets import Sockets, open_sockets
from mutx.server.doors.verbs import Verbs
from mutx.server.embedding import open_embedder
from mutx.server.guardrails import close_models, open_evalview, open_watch, suspects, watch_jobs
from mutx.server.home import open_authentication, prepare
from mutx.server.identities import LOCAL, KnownIdentities
from mutx.server.identity_jobs import identity_jobs, record_the_last
from mutx.server.jobs import job_tasks, launch_task, open_delivery
from mutx.server.mail import open_mailer
from mutx.server.news import listener, tell_request
from mutx.server.observing import attend, overdue_task
from mutx.server.receipts_key import open_receipts_key
from mutx.server.remote_policies import RemotePolicies, follow_policies
from mutx.server.schema import SchemaKeeper, start_database
from mutx.server.secrets import installation_keys, open_sealer
from mutx.server.settings import Settings
from mutx.server.sinks import names_of, topics_of
from mutx.server.spiffe import spiffe_sources
from mutx.server.sso import open_sign_on, sso_sources
from mutx.server.supervision import SupervisionDesk, open_supervisor, supervision_desk
from mutx.server.timekeeping import PERIOD, Timekeeper, go_on
from mutx.server.traces import open_tracer, open_verbs
from mutx.server.workers import Periodic, Workers
from mutx.services.evalview.watch import AgentWatch
from mutx.services.identity.authentication import Authentication
from mutx.services.oidc.sign_on import SignOn
from mutx.services.signing import EphemeralSigner
from mutx.services.telemetry.tracing import RequestTracer
from mutx.storage.coordination import Bus, LocalBus
from mutx.storage.engine import Database
from mutx.storage.memory import MemoryLedger
from mutx.storage.outbox import OutboxPump
from mutx.storage.views import LedgerStore
from mutx.web.access import AGENT_SCOPES
from mutx.web.revocation import Revocations
from mutx.web.services import Services

PERMIT_PURPOSE = b"mutx/permit/1"

SWEEP_SECONDS = 1.0
POLICY_SECONDS = 0.1
"""Until the watch over policies goes on after the store could not answer."""
COUNTER_SECONDS = 60.0
OUTBOX_SECONDS = 1.0
"""Until the outbox pump is started again, should it ever end."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """Everything of one process, put together."""

    settings: Settings
    services: Services
    identities: KnownIdentities
    verbs: Verbs
    app: ControlPlaneApp
    workers: Workers
    coordination: Coordination
    watch: PolicyWatch
    remote: RemotePolicies | None
    outbox: OutboxPump
    operator: Caller
    """The local operator: who processes of this machine's user act for."""
    sockets: Sockets
    supervision: SupervisionDesk
    tracer: RequestTracer | None = None
    scratch: tempfile.TemporaryDirectory[str] | None = field(default=None)

    async def start(self, *, socket: bool = False) -> None:
        """Begin what runs beside requests. `socket`: listen on the Unix socket as well. Raises SetupError."""
        self.workers.start((*launch_task(self.services.jobs), *self.supervision.tasks) if socket else ())
        if socket:
            await self.sockets.start()
            await self.supervision.open()

    async def stop(self) -> None:
        """Finish what is under way, write what is queued, let go of the files."""
        await self.sockets.stop()
        self.outbox.stop()
        self.watch.stop()
        self.coordination.stopping()
        if self.remote is not None:
            self.remote.stop()
        await self.workers.stop()
        await self.supervision.close()
        if self.services.jobs is not None:
            await self.services.jobs.stop()
        if self.remote is not None:
            await self.remote.close()
        await self.coordination.close()
        await record_the_last(self.services)
        await self.services.ledger.stop()
        await self.services.database.stop()
        self.services.auth.passwords.close()
        await self.identities.close()
        await close_models(self.services)
        if self.services.sign_on is not None:
            await self.services.sign_on.close()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.close)
        if self.scratch is not None:
            self.scratch.cleanup()

    def local_agent(self, door: Door) -> Caller:
        return local_agent(self.operator, door)

    async def local_token(self) -> str:
        """A fresh access token of the local operator, for callers inside this process."""
        signed_in = await Logins(self.services).bootstrap(OPERATOR)
        return signed_in.access_token


OPERATOR = "Local Operator"


def local_agent(operator: Caller, door: Door) -> Caller:
    """A process of the operator's own user: it may name any agent of the workspace, and never approves."""
    return replace(
        operator,
        kind=PrincipalKind.AGENT,
        door=door,
        principal_id="local",
        roles=(),
        scopes=AGENT_SCOPES,
        method=LOCAL,
    )


async def build(settings: Settings, *, memory: bool = False) -> ControlPlane:
    """Open or make the installation under `settings.home`. Raises SetupError, KeyUnusable, Unavailable.

    `memory`: the ledger and its key live and die with the process, the rest in a folder that goes with it.
    """
    scratch = tempfile.TemporaryDirectory(prefix="mutx-") if memory else None
    if scratch is not None:
        settings = settings.model_copy(update={"home": Path(scratch.name), "database_url": ""})
    prepare(settings.home)
    clock = SystemClock()
    database = open_database(settings)
    async with AsyncExitStack() as undo:
        schema = SchemaKeeper(migrate=settings.database_migrate_on_startup)
        await start_database(database, schema, settings.database_startup_seconds)
        undo.push_async_callback(database.stop)
        keeper = await go_on(clock, database, settings.home / "clock")
        plane = await _assemble(settings, database, clock, scratch, keeper, undo)
        schema.tell(plane.services.registry)
        undo.pop_all()
    return plane


async def _assemble(
    settings: Settings,
    database: Database,
    clock: Clock,
    scratch: tempfile.TemporaryDirectory[str] | None,
    keeper: Timekeeper,
    undo: AsyncExitStack,
) -> ControlPlane:
    memory = scratch is not None
    services, policies, identities, coordination, sinks, trail = await _services(
        settings, database, clock, undo, memory=memory
    )
    tracer = open_tracer(settings)
    verbs, app = _served(services, settings, identities, coordination, tracer)
    tasks = (
        *watch_jobs(services),
        *identity_jobs(services, open_mailer(settings)),
        retention_task(settings, services, trail),
        overdue_task(services, app.state.tasks),
    )
    operator = await _operator(services, identities)
    remote = await follow_policies(settings, database, policies, operator, clock, services.registry)
    outbox, watch = OutboxPump(services.ledger, sinks), PolicyWatch(policies, services.bus)
    workers = _workers(services, watch, outbox, remote, keeper, coordination, *tasks)
    if not memory:
        attend(app.state, Vitals(failures=lambda: workers.failures, sinks=names_of(sinks), home=settings.home))
    sockets = open_sockets(settings, services, identities, verbs, local_agent(operator, Door.UDS))
    return ControlPlane(
        settings=settings,
        services=services,
        identities=identities,
        verbs=verbs,
        app=app,
        workers=workers,
        remote=remote,
        coordination=coordination,
        watch=watch,
        outbox=outbox,
        operator=operator,
        sockets=sockets,
        supervision=supervision_desk(services),
        tracer=tracer,
        scratch=scratch,
    )


async def _services(
    settings: Settings, database: Database, clock: Clock, undo: AsyncExitStack, *, memory: bool
) -> tuple[Services, PolicyEngines, KnownIdentities, Coordination, tuple[Sink, ...], AuditTrail]:
    """What routes and doors stand on; and the policies, who comes in, what is shared with other replicas, where events go."""
    accumulator = ContextAccumulator(suspects=suspects(), search_all=settings.guardrail_results == "all")
    ledger = MemoryLedger(accumulator, clock) if memory else open_ledger(database, accumulator, clock)
    await ledger.start()
    undo.push_async_callback(ledger.stop)
    signer, keys = await _signing(settings, database, ledger, clock, memory=memory)
    sealer = open_sealer(settings)
    auth = open_authentication(settings, clock, await installation_keys(settings, database, sealer, clock))
    registry = CollectorRegistry()
    coordination = open_coordination(settings, clock, registry)
    bus = coordination.bus
    policies = PolicyEngines(database, bus)
    revocations, sign_on, identities = _recognised(settings, database, auth, bus, clock)
    trail = open_trail(database, signer, keys, sealer, clock)
    sinks, jobs = open_delivery(settings, database, bus, clock, trail, registry, durable=not memory)
    book = DelegationBook(database, identities, signer, keys)
    watch, embedder, wanted = await open_watch(database), open_embedder(settings, clock), topics_of(sinks)
    pipeline = governance(bus, ledger, policies, identities, signer, accumulator, clock, wanted, book, watch, embedder)
    services = Services(
        database=database,
        ledger=ledger,
        pipeline=pipeline,
        policies=policies,
        bus=bus,
        clock=clock,
        signer=signer,
        auth=auth,
        revocations=revocations,
        sealer=sealer,
        registry=registry,
        jobs=jobs,
        keys=keys,
        compliance=self_assessment(clock),
        delegations=book,
        supervisor=open_supervisor(settings, memory=memory),
        sign_on=sign_on,
        evalview=open_evalview(settings),
        watch=watch,
        embedder=embedder,
    )
    return services, policies, identities, coordination, sinks, trail


def _recognised(
    settings: Settings, database: Database, auth: Authentication, bus: Bus, clock: Clock
) -> tuple[Revocations, SignOn | None, KnownIdentities]:
    """Who may come in, by which credentials, and how that ends."""
    revocations = Revocations(database, auth.callers, bus, clock, shared=settings.is_shared)
    sign_on = open_sign_on(settings, clock)
    ours = spiffe_sources(settings, database, auth, clock)
    sources = (*ours, *sso_sources(database, revocations, sign_on, clock))
    return revocations, sign_on, KnownIdentities(database, auth, clock, sources)


def _served(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    coordination: Coordination,
    tracer: RequestTracer | None,
) -> tuple[Verbs, ControlPlaneApp]:
    """The verbs, and the HTTP side over them."""
    verbs = open_verbs(services.pipeline, services.bus, services.clock, tracer, delegation_verbs(services))
    doors, limiters = hot_routes(verbs), coordination.limiters
    app = create_app(services, settings, identities, doors=doors, limiters=limiters, tracer=tracer)
    app.state.verbs = verbs
    return verbs, app


async def _signing(
    settings: Settings, database: Database, ledger: LedgerStore, clock: Clock, *, memory: bool
) -> tuple[Signer, KeyRing]:
    """The key that signs for the ledger."""
    if memory:
        ephemeral = EphemeralSigner()
        return ephemeral, KeyRing((ephemeral.public_key,))
    return await open_receipts_key(settings, database, ledger, clock)


def governance(
    bus: Bus,
    ledger: LedgerStore,
    policies: Policies,
    identities: Identities,
    signer: Signer,
    accumulator: ContextAccumulator,
    clock: Clock,
    topics: frozenset[str] | None = None,
    delegations: Delegations | None = None,
    watch: AgentWatch | None = None,
    embedder: Embedder | None = None,
) -> GovernancePipeline:
    """The engine on its ports. `topics`: the news that sinks want of it; None: all. `delegations`: None: there are none. `watch`: who counts how agents behave, if anybody does; `embedder`: what measures beside words."""
    gather = Gatherer(ledger, policies, accumulator, clock, delegations, watch.is_paused if watch else None, embedder)
    telemetry = TelemetryExporter(topics)
    approvals = ApprovalService()
    permits = Permits(signer.derive(PERMIT_PURPOSE))
    recorder = Recorder(ledger, ReceiptGenerator(signer), accumulator, telemetry, listener(bus, watch))
    releases = Releases(
        gather=gather,
        approvals=approvals,
        identities=identities,
        permits=permits,
        recorder=recorder,
        telemetry=telemetry,
        told=lambda request: tell_request(bus, request),
    )
    return GovernancePipeline(
        gather=gather,
        mediator=ActionMediator(),
        approvals=approvals,
        permits=permits,
        recorder=recorder,
        releases=releases,
    )


def self_assessment(clock: Clock) -> AARMComplianceChecker:
    """Probes that drive pipelines put together as the running one is, on ledgers in memory."""
    signer = EphemeralSigner()
    laboratory = Laboratory(
        new_ledger=MemoryLedger,
        assemble=partial(governance, LocalBus()),
        signer=signer,
        keys=KeyRing((signer.public_key,)),
    )
    return AARMComplianceChecker(laboratory, clock)


async def _operator(services: Services, identities: KnownIdentities) -> Caller:
    """The local operator, made on first use."""
    signed_in = await Logins(services).bootstrap(OPERATOR)
    return await identities.resolve(signed_in.access_token)


def _workers(
    services: Services,
    watch: PolicyWatch,
    outbox: OutboxPump,
    remote: RemotePolicies | None,
    keeper: Timekeeper,
    coordination: Coordination,
    *more: Periodic,
) -> Workers:
    return Workers(
        (
            Periodic("sweep", services.pipeline.sweep, SWEEP_SECONDS),
            Periodic("policies", watch.run, POLICY_SECONDS),
            Periodic("counters", lambda: services.ledger.prune_counters(services.clock.now()), COUNTER_SECONDS),
            Periodic("outbox", outbox.run, OUTBOX_SECONDS),
            *more,
            *coordination.tasks,
            *job_tasks(services.jobs),
            *((Periodic("remote-policies", remote.run, POLICY_SECONDS),) if remote else ()),
            Periodic("clock", keeper.keep, PERIOD),
        )
    )
