"""Settings of what protects the secrets that are kept."""

from pydantic import BaseModel, SecretStr


class SecretsSettings(BaseModel):
    """How secrets lie at rest."""

    secret_encryption_key: SecretStr = SecretStr("")
    """32 random bytes in base64 or hex (`mutx secrets new-key`); older keys behind it, after commas. Every replica needs
    the same. Unset: `keys/sealing.keys` in the home directory, made on the first start."""
