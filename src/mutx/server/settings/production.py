"""What a laptop may do and a production system may not."""

import base64
import binascii
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from mutx.kit.errors import KeyUnusable
from mutx.services.identity.sealing import read_sealing_keys

WEBHOOK_SECRET_BYTES = 24
"""Standard Webhooks asks for 24 to 64 random bytes."""
WELL_KNOWN = frozenset(
    ("mutx", "postgres", "password", "secret", "admin", "changeme", "change-me", "test", "root", "example")
)


class Guarded(Protocol):
    """The settings that are looked at."""

    @property
    def environment(self) -> str: ...
    @property
    def secret_encryption_key(self) -> SecretStr: ...
    @property
    def local_bootstrap(self) -> bool | None: ...
    @property
    def public_url(self) -> str: ...
    @property
    def database_url(self) -> str: ...
    @property
    def smtp_password(self) -> SecretStr: ...
    @property
    def approval_webhook_secret(self) -> SecretStr: ...


def refuse_weak(settings: Guarded) -> None:
    """Raises ValueError that names the variable. A key that is given must be one in every environment."""
    given = settings.secret_encryption_key.get_secret_value()
    if given:
        try:
            read_sealing_keys(given)
        except KeyUnusable as error:
            raise ValueError(f"SECRET_ENCRYPTION_KEY: {error}") from None
    if settings.environment != "production":
        return
    if not given:
        raise ValueError("SECRET_ENCRYPTION_KEY must be set in production; make one with `mutx secrets new-key`")
    if settings.local_bootstrap:
        raise ValueError("LOCAL_BOOTSTRAP signs anyone on this machine in; production does without it")
    if settings.public_url and not settings.public_url.startswith("https://"):
        raise ValueError("PUBLIC_URL must be https:// in production: tokens and keys travel with every request")
    if _is_guessable(unquote(urlsplit(settings.database_url).password or "") or None):
        raise ValueError("DATABASE_URL holds a default password; give the database a password of its own")
    if _is_guessable(settings.smtp_password.get_secret_value() or None):
        raise ValueError("SMTP_PASSWORD is a default password; give the mail account a password of its own")
    webhook = settings.approval_webhook_secret.get_secret_value()
    if webhook and _decoded_length(webhook) < WEBHOOK_SECRET_BYTES:
        raise ValueError("APPROVAL_WEBHOOK_SECRET is too short: `whsec_` and at least 24 random bytes in base64")


def _is_guessable(password: str | None) -> bool:
    return password is not None and (password.lower() in WELL_KNOWN or len(password) < 8)


def _decoded_length(secret: str) -> int:
    try:
        return len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (ValueError, binascii.Error):
        return 0
