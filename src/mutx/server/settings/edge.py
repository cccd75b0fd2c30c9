"""Settings of what every request passes first."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from mutx.server.settings.values import Positive


class EdgeSettings(BaseModel):
    """Limits of the HTTP edge."""

    rate_limit_requests: Positive = 100
    """Per principal; and per address, and per credential, for what does not authenticate."""
    rate_limit_window_seconds: Positive = 60
    auth_rate_limit_requests: Positive = 10
    """POST requests to /v1/auth, per address."""
    auth_rate_limit_window_seconds: Positive = 60
    governance_rate_limit_requests: Positive = 6_000
    """Decide, conclude, resolve and redeem, per key."""
    governance_rate_limit_window_seconds: Positive = 60
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Networks of the proxies in front, comma separated; their `X-Forwarded-For` says which address is counted."""
    max_body_bytes: Positive = 1_000_000
    header_timeout_seconds: float = Field(10.0, gt=0)
    """From the first byte of a request, or from the connection, to the end of its headers."""
    body_timeout_seconds: float = Field(30.0, gt=0)
    """From the end of the headers to the end of the body."""
    request_timeout_seconds: float = Field(60.0, gt=0)
    """From the end of the headers to the beginning of the answer."""
    stalled_reader_seconds: float = Field(60.0, gt=0)
    """How long a client may leave an answer unread before its connection is closed."""

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            ip_network(name, strict=False)
        return value
