"""Where events go: the audit log always, the rest where settings name it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from mutx.governance.ports import Sink
from mutx.governance.turn import Event
from mutx.kit.clock import Clock
from mutx.resources.audit.sink import AuditSink
from mutx.resources.audit.trail import AuditTrail
from mutx.resources.workspaces.approvers import approver_addresses
from mutx.server.audit import siem_sinks
from mutx.server.collector import collector_of
from mutx.server.mail import open_mailer
from mutx.server.settings import Settings
from mutx.services.telemetry.log import LogSink
from mutx.services.telemetry.notify import MailSink, WebhookSink
from mutx.services.telemetry.otlp import OtlpSink
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database


def open_sinks(
    settings: Settings,
    database: Database,
    bus: Bus,
    clock: Clock,
    trail: AuditTrail,
    notices: Sequence[Sink] | None = None,
) -> tuple[Sink, ...]:
    """`notices`: what tells people; straight from the outbox unless given. Raises SetupError for settings that contradict each other."""
    sinks: list[Sink] = [AuditSink(database, bus, trail), *siem_sinks(settings)]
    if settings.event_log:
        sinks.append(LogSink(settings.event_log))
    if collector := collector_of(settings):
        sinks.append(OtlpSink(*collector))
    return (*sinks, *(notice_sinks(settings, database, clock) if notices is None else notices))


def notice_sinks(settings: Settings, database: Database, clock: Clock) -> tuple[Sink, ...]:
    """What tells people that they are asked."""
    sinks: list[Sink] = []
    if mailer := open_mailer(settings):
        sinks.append(MailSink(mailer, _approvers(database)))
    if settings.approval_webhook_url:
        sinks.append(
            WebhookSink(
                settings.approval_webhook_url,
                settings.approval_webhook_secret.get_secret_value(),
                clock,
                private=settings.allow_private_webhooks,
            )
        )
    return tuple(sinks)


def names_of(sinks: Iterable[Sink]) -> tuple[str, ...]:
    return tuple(sink.name for sink in sinks)


def topics_of(sinks: Iterable[Sink]) -> frozenset[str] | None:
    """What any of them wants; None: everything."""
    found: frozenset[str] = frozenset()
    for sink in sinks:
        if sink.topics is None:
            return None
        found |= sink.topics
    return found


def _approvers(database: Database) -> Callable[[Event], Awaitable[Sequence[str]]]:
    async def addresses(event: Event) -> Sequence[str]:
        async with database.read() as session:
            return await approver_addresses(session, event)

    return addresses
