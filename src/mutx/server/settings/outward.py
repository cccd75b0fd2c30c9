"""Settings of how people are told."""

from typing import Self

from pydantic import BaseModel, Field, SecretStr, model_validator


class OutwardSettings(BaseModel):
    """Mail and webhooks."""

    smtp_host: str = ""
    """Mail server that tells approvers of waiting requests; none unless named."""
    smtp_port: int = Field(25, ge=1, le=65_535)
    smtp_sender: str = "mutx@localhost"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: bool = False
    """TLS from the first byte; otherwise STARTTLS where the server offers it."""
    approval_webhook_url: str = ""
    """Gets a signed POST (Standard Webhooks) for each waiting request."""
    approval_webhook_secret: SecretStr = SecretStr("")
    """`whsec_` and base64; required with APPROVAL_WEBHOOK_URL."""
    allow_private_webhooks: bool = False
    """Let the webhook lead to a private address."""

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Self:
        if self.approval_webhook_url and not self.approval_webhook_secret.get_secret_value().startswith("whsec_"):
            raise ValueError("APPROVAL_WEBHOOK_SECRET must be `whsec_` and base64 where APPROVAL_WEBHOOK_URL is set")
        return self
