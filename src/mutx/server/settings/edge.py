"""Settings of what every request passes first."""

from pydantic import BaseModel

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
