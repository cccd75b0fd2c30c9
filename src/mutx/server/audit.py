"""The audit log, put together: who writes it, who prunes it, who else gets it."""

import ssl
from urllib.parse import urlsplit

from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer, Sink
from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.resources.audit.classes import RetentionRules
from mutx.resources.audit.retention import AuditRetention
from mutx.resources.audit.trail import AuditTrail
from mutx.server.settings import Settings
from mutx.server.workers import Periodic
from mutx.services.identity.sealing import Sealer
from mutx.services.siem.formats import SiemFormat, formatter
from mutx.services.siem.http import HttpSiemSink
from mutx.services.siem.syslog import SyslogSink, tls_context
from mutx.storage.engine import Database
from mutx.storage.outbox import HEAR
from mutx.web.services import Services

RETENTION_SECONDS = 3600.0


def open_trail(database: Database, signer: Signer, keys: KeyRing, sealer: Sealer, clock: Clock) -> AuditTrail:
    """From here on, what a unit of work tells is in the audit log when it is committed, and undone with it."""
    trail = AuditTrail(signer, keys, sealer, clock)
    database.info[HEAR] = trail.hear
    return trail


def retention_task(settings: Settings, services: Services, trail: AuditTrail) -> Periodic:
    """What prunes the log."""
    rules = retention_rules(settings)
    retention = AuditRetention(services.database, services.ledger, trail, rules, services.clock)
    return Periodic("audit-retention", retention.run, RETENTION_SECONDS)


def retention_rules(settings: Settings) -> RetentionRules:
    return RetentionRules(
        login=settings.audit_retention_login_days,
        key_access=settings.audit_retention_key_access_days,
        agent_creation=settings.audit_retention_agent_creation_days,
        agent_execution=settings.audit_retention_agent_execution_days,
        configuration=settings.audit_retention_configuration_days,
        network=settings.audit_retention_network_days,
    )


def siem_sinks(settings: Settings) -> list[Sink]:
    """Raises SetupError for certificates that cannot be used."""
    write, sinks = formatter(SiemFormat(settings.siem_format)), list[Sink]()
    if settings.siem_syslog:
        where = urlsplit(settings.siem_syslog)
        tls = _tls(settings) if where.scheme == "tls" else None
        sinks.append(SyslogSink(where.hostname or "", where.port or 0, write, tls))
    if settings.siem_http_url:
        authorization = settings.siem_http_authorization.get_secret_value()
        tls = _tls(settings) if settings.siem_http_url.startswith("https") else None
        sinks.append(HttpSiemSink(settings.siem_http_url, write, authorization=authorization, tls=tls))
    return sinks


def _tls(settings: Settings) -> ssl.SSLContext:
    files = (settings.siem_ca, settings.siem_certificate, settings.siem_key)
    try:
        return tls_context(*(None if file is None else str(file) for file in files))
    except OSError as error:
        raise SetupError(f"SIEM_CA, SIEM_CERTIFICATE or SIEM_KEY cannot be used: {error}") from error
