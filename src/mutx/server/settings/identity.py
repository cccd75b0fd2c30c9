"""Settings of people, tokens and keys."""

from pydantic import BaseModel, Field

from mutx.server.settings.values import Positive


class IdentitySettings(BaseModel):
    """Who may come in, and for how long."""

    access_token_expire_minutes: Positive = 15
    refresh_token_expire_days: Positive = 7
    refresh_token_max_sliding_days: Positive = 30
    require_email_verification: bool = False
    """No credential of an account counts before its address is verified; needs SMTP_HOST."""
    email_verification_expire_hours: Positive = 24
    password_reset_expire_minutes: Positive = 60
    password_min_length: int = Field(12, ge=8, le=64)
    allow_registration: bool = True
    local_bootstrap: bool | None = None
    """Sign a loopback peer in as local operator; unset: only while HOST is loopback."""
