"""Settings of what protects the secrets that are kept."""

from typing import Literal

from pydantic import BaseModel, SecretStr


class SecretsSettings(BaseModel):
    """How secrets lie at rest, and how strict to be about them."""

    environment: Literal["development", "production"] = "development"
    """`production` refuses to start with what only a laptop may have, and signs nobody in without credentials."""
    secret_encryption_key: SecretStr = SecretStr("")
    """32 random bytes in base64 or hex (`mutx secrets new-key`); older keys behind it, after commas. Every replica needs
    the same. Unset: `keys/sealing.keys` in the home directory, made on the first start; production needs it set."""
