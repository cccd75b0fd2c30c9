"""API keys and mailed tokens: made here, shown once, kept as a keyed hash.

The secrets are 256 random bits, so one keyed BLAKE2b is enough (a slow hash guards guessable secrets only); the key
makes a stolen table useless for looking secrets up.
"""

import hashlib
import secrets
from enum import StrEnum

from mutx.kit.errors import KeyUnusable
from mutx.kit.ids import new_token

PEPPER_BYTES = 32


class SecretKind(StrEnum):
    """What a secret is for; also how it begins."""

    API_KEY = "mutx_live_"
    AGENT_KEY = "mutx_agent_"
    RESET = "mutx_reset_"
    VERIFY = "mutx_verify_"


def mint(kind: SecretKind) -> str:
    """A new secret of 256 bits."""
    return kind + new_token(32)


def kind_of(secret: str) -> SecretKind | None:
    return next((kind for kind in SecretKind if secret.startswith(kind)), None)


def hint_of(secret: str) -> str:
    """The start of a secret, to tell keys apart in a list; reveals 24 of 256 bits."""
    kind = kind_of(secret)
    return secret[: len(kind) + 4] if kind else ""


def new_pepper() -> bytes:
    """A key for `SecretHasher`."""
    return secrets.token_bytes(PEPPER_BYTES)


class SecretHasher:
    """Keyed BLAKE2b-256 over secrets."""

    def __init__(self, pepper: bytes) -> None:
        if len(pepper) != PEPPER_BYTES:
            raise KeyUnusable("the key that protects stored secrets must be 32 bytes; restore it from a backup")
        self._pepper = pepper

    def digest(self, secret: str) -> str:
        """64 hex digits, what the database holds and looks for."""
        return hashlib.blake2b(secret.encode(), key=self._pepper, digest_size=32).hexdigest()
