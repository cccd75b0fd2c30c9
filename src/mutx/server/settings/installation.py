"""What an installation may set, by environment variable of the same name (upper case) or `.env` file."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from mutx.kit.errors import SetupError
from mutx.server.settings.audit import AuditSettings
from mutx.server.settings.database import DatabaseSettings
from mutx.server.settings.drift import DriftSettings
from mutx.server.settings.edge import EdgeSettings
from mutx.server.settings.guardrails import GuardrailSettings
from mutx.server.settings.identity import IdentitySettings
from mutx.server.settings.outward import OutwardSettings
from mutx.server.settings.production import refuse_weak
from mutx.server.settings.remote_policies import RemotePolicySettings
from mutx.server.settings.secrets import SecretsSettings
from mutx.server.settings.spiffe import SpiffeSettings
from mutx.server.settings.sso import SsoSettings
from mutx.server.settings.supervision import SupervisionSettings
from mutx.server.settings.telemetry import TelemetrySettings


class Settings(
    DatabaseSettings,
    IdentitySettings,
    SsoSettings,
    SpiffeSettings,
    SecretsSettings,
    EdgeSettings,
    TelemetrySettings,
    OutwardSettings,
    AuditSettings,
    RemotePolicySettings,
    SupervisionSettings,
    GuardrailSettings,
    DriftSettings,
    BaseSettings,
):
    """Every field has a default that is safe on one's own machine."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, populate_by_name=True)

    home: Path = Field(Path("~/.mutx"), validation_alias="MUTX_HOME")
    """Keys, the database and the socket live here; made with mode 0700."""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65_535)
    public_url: str = ""
    """How clients reach this server, and the issuer in its tokens; empty: `http://HOST:PORT`, and in tokens `mutx` where
    replicas may share the database."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names to answer to; empty: loopback names and HOST. A public HOST needs them (or `*`)."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may call; none unless listed."""

    docs: bool = True
    """Serve /docs and /openapi.json."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """All sources as usual, but HOME is the shell's: ours is MUTX_HOME."""
        every = (*sources, *named.values())
        for source in every:
            if isinstance(source, EnvSettingsSource):
                source.env_vars = {name: value for name, value in source.env_vars.items() if name != "home"}
        return every

    @field_validator("allowed_hosts", "cors_origins", "oidc_audience", "spiffe_audience", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("home")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _secrets_are_secret(self) -> Self:
        refuse_weak(self)
        return self

    @model_validator(mode="after")
    def _can_verify_addresses(self) -> Self:
        if self.require_email_verification and not self.smtp_host:
            raise ValueError("REQUIRE_EMAIL_VERIFICATION needs a mail server: set SMTP_HOST, or nobody could get in")
        return self

    @model_validator(mode="after")
    def _public_bind_is_meant(self) -> Self:
        """A server others can reach says who may reach it, and signs nobody in without credentials."""
        if is_loopback(self.host):
            return self
        if self.local_bootstrap:
            raise ValueError("LOCAL_BOOTSTRAP signs anyone on this machine in; unset it, or set HOST=127.0.0.1")
        if not self.allowed_hosts:
            raise ValueError(f"HOST={self.host} can be reached by others: set ALLOWED_HOSTS to the names you serve")
        if "*" in self.cors_origins:
            raise ValueError("CORS_ORIGINS=* on a public HOST lets every web page call this server; list the origins")
        return self

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.home / 'mutx.db'}"

    @property
    def is_shared(self) -> bool:
        """Whether other replicas may work on the same database; an SQLite file has one process only."""
        return not self.url.startswith("sqlite")

    @property
    def socket(self) -> Path:
        """The Unix socket; its directory belongs to the owner alone."""
        return self.home / "run" / "mutx.sock"

    @property
    def faramesh_path(self) -> Path:
        """The socket that Faramesh clients speak to; its directory belongs to the owner alone as well."""
        return self.faramesh_socket or self.home / "run" / "faramesh.sock"

    @property
    def issuer(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def token_issuer(self) -> str:
        """Of the tokens of a login: how clients reach this server. Replicas that were not told share a name instead,
        because each listens on an address of its own and takes what the others signed."""
        return self.public_url or ("mutx" if self.is_shared else self.issuer)

    @property
    def own_origins(self) -> tuple[str, ...]:
        """Pages that are ours: they may keep a sign-in cookie, and mails link to them."""
        parts = urlsplit(self.issuer)
        listed = (origin.rstrip("/") for origin in self.cors_origins if origin != "*")
        return tuple(dict.fromkeys((f"{parts.scheme}://{parts.netloc}", *listed)))

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.allowed_hosts or ("localhost", "127.0.0.1", "[::1]", "mutx", self.host)

    @property
    def bootstraps_locally(self) -> bool:
        """Unless said otherwise: on one's own machine only, and not where a proxy makes it known to others."""
        if self.local_bootstrap is not None:
            return self.local_bootstrap
        known_as = urlsplit(self.issuer).hostname or ""
        return self.environment == "development" and is_loopback(self.host) and is_loopback(known_as)


def read_settings(**given: Any) -> Settings:
    """Raises SetupError that names the variable."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])).upper()} {e['msg']}".strip() for e in error.errors()]
        raise SetupError("; ".join(problems)) from None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
