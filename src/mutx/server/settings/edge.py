"""Settings of what every request passes first."""

from pydantic import BaseModel, Field

from mutx.server.settings.values import Positive


class EdgeSettings(BaseModel):
    """Limits of the HTTP edge."""

    rate_limit_requests: Positive = 100
    rate_limit_window_seconds: Positive = 60
    auth_rate_limit_requests: Positive = 10
    auth_rate_limit_window_seconds: Positive = 60
    governance_rate_limit_requests: Positive = 600_000
    governance_rate_limit_window_seconds: Positive = 60
    max_body_bytes: Positive = 1_000_000
    header_timeout_seconds: float = Field(10.0, gt=0)
    """From the first byte of a request, or from the connection, to the end of its headers."""
    body_timeout_seconds: float = Field(30.0, gt=0)
    """From the end of the headers to the end of the body."""
    request_timeout_seconds: float = Field(60.0, gt=0)
    """From the end of the headers to the beginning of the answer."""
    stalled_reader_seconds: float = Field(60.0, gt=0)
    """How long a client may leave an answer unread before its connection is closed."""
