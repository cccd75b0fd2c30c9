"""Settings of the audit log: how long it keeps what, and who else gets it."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

Days = Annotated[int, Field(ge=0)]
"""0 keeps for ever."""


class AuditSettings(BaseModel):
    """Retention by class of event, as the product security document lists it; streaming to a SIEM."""

    audit_retention_login_days: Days = 365
    audit_retention_key_access_days: Days = 365
    audit_retention_agent_creation_days: Days = 90
    audit_retention_agent_execution_days: Days = 90
    """Of the events of runs, and of the arguments and results that lie beside receipts. Receipts stay."""
    audit_retention_configuration_days: Days = 7 * 365
    audit_retention_network_days: Days = 30

    siem_format: Literal["json", "ocsf", "cef"] = "ocsf"
    siem_syslog: str = ""
    """`tls://collector:6514`, or `tcp://127.0.0.1:601` for a collector on this machine."""
    siem_http_url: str = ""
    """Gets batches of lines by POST, such as `https://collector/events`."""
    siem_http_authorization: SecretStr = SecretStr("")
    """The whole Authorization header."""
    siem_ca: Path | None = None
    """PEM file of the authority that signed the receivers' certificates; unset: the system's."""
    siem_certificate: Path | None = None
    """PEM file that shows this server to the syslog receiver, with SIEM_KEY."""
    siem_key: Path | None = None

    @model_validator(mode="after")
    def _events_travel_safely(self) -> Self:
        """Audit events leave this machine over TLS only."""
        if self.siem_syslog:
            where = urlsplit(self.siem_syslog)
            plain = where.scheme == "tcp" and where.hostname in ("127.0.0.1", "::1", "localhost")
            if not (where.scheme == "tls" or plain) or where.hostname is None or where.port is None:
                raise ValueError("SIEM_SYSLOG must be tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine")
        if self.siem_http_url:
            web = urlsplit(self.siem_http_url)
            plain = web.scheme == "http" and web.hostname in ("127.0.0.1", "::1", "localhost")
            if not (web.scheme == "https" or plain):
                raise ValueError("SIEM_HTTP_URL must be https://..., or http://127.0.0.1:PORT/... on this machine")
        if (self.siem_certificate is None) != (self.siem_key is None):
            raise ValueError("SIEM_CERTIFICATE and SIEM_KEY go together; set both or none")
        return self
