"""Durable jobs of this installation: where they are kept, what does them, and how the outbox hands them in."""

from collections.abc import Mapping, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import make_url

from mutx.governance.ports import Sink
from mutx.governance.turn import Event
from mutx.kit.clock import Clock
from mutx.resources.audit.trail import AuditTrail
from mutx.server.settings import Settings
from mutx.server.sinks import notice_sinks, open_sinks
from mutx.server.workers import Periodic
from mutx.services.jobs.durable import DurableJobs
from mutx.services.jobs.model import Handler, NewJob, Payload
from mutx.services.jobs.runners import BEAT_SECONDS
from mutx.services.telemetry.notify import asks, message_id
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database

HOUR = 3600.0
READY_SECONDS = 2.0


def jobs_url(settings: Settings) -> str:
    """SQLAlchemy URL, with a driver that blocks: the engine has threads of its own."""
    url = make_url(settings.jobs_database_url or settings.url)
    if not url.get_backend_name().startswith("postgres"):
        return settings.jobs_database_url or f"sqlite:///{settings.home / 'jobs.db'}"
    query = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
    if settings.database_ssl_mode:
        query["sslmode"] = settings.database_ssl_mode
    return url.set(drivername="postgresql+psycopg", query=query).render_as_string(hide_password=False)


def open_jobs(settings: Settings, sinks: Sequence[Sink], clock: Clock, registry: CollectorRegistry) -> DurableJobs:
    """The engine, not launched yet. `sinks`: each does the jobs of its name."""
    handlers: Mapping[str, Handler] = {sink.name: _deliver(sink) for sink in sinks}
    return DurableJobs(jobs_url(settings), handlers, clock, registry)


def open_delivery(
    settings: Settings,
    database: Database,
    bus: Bus,
    clock: Clock,
    trail: AuditTrail,
    registry: CollectorRegistry,
    *,
    durable: bool,
) -> tuple[tuple[Sink, ...], DurableJobs | None]:
    """Where events go, and the jobs that notices become where they are to last."""
    notices = notice_sinks(settings, database, clock)
    if not durable:
        return open_sinks(settings, database, bus, clock, trail, notices), None
    jobs = open_jobs(settings, notices, clock, registry)
    return open_sinks(settings, database, bus, clock, trail, handed_in(notices, jobs)), jobs


def job_tasks(jobs: DurableJobs | None) -> tuple[Periodic, ...]:
    """What keeps the engine going."""
    if jobs is None:
        return ()
    return (Periodic("job-runners", jobs.beat, BEAT_SECONDS), Periodic("old-jobs", jobs.keep_house, HOUR))


def launch_task(jobs: DurableJobs | None) -> tuple[Periodic, ...]:
    """Takes up what an earlier run left, once the server is ready: importing the engine takes a second of it."""
    return () if jobs is None else (Periodic("jobs", jobs.start, BEAT_SECONDS, after=READY_SECONDS),)


def handed_in(sinks: Sequence[Sink], jobs: DurableJobs) -> tuple[Sink, ...]:
    return tuple(HandedIn(sink, jobs) for sink in sinks)


class HandedIn:
    """A sink that makes a durable job of each notice; the sink behind it does the job."""

    def __init__(self, sink: Sink, jobs: DurableJobs) -> None:
        self.name = sink.name
        self.topics = sink.topics
        self._jobs = jobs

    async def send(self, events: Sequence[Event]) -> None:
        """Raises Unavailable; the same events come again then, and are the same jobs."""
        for event in filter(asks, events):
            await self._jobs.enqueue(
                NewJob(
                    id=f"{self.name}.{message_id(event)}",
                    kind=self.name,
                    workspace_id=event.workspace_id,
                    payload=msgspec.to_builtins(event),
                )
            )


def _deliver(sink: Sink) -> Handler:
    async def deliver(payload: Payload) -> None:
        await sink.send([msgspec.convert(payload, Event)])

    return deliver
