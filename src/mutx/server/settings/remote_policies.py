"""Settings of a control plane that follows another one's policies."""

from typing import Self

from pydantic import BaseModel, SecretStr, model_validator


class RemotePolicySettings(BaseModel):
    """Where policies are pulled from, in place of one's own."""

    policy_source_url: str = ""
    """The control plane whose policies the local operator's workspace follows; none unless set."""
    policy_source_api_key: SecretStr = SecretStr("")
    """A key of the workspace to follow, with `policies:read`."""
    policy_source_trust: str = ""
    """The public key that signs them, or the name of a file with it (JWK, JWK set, PEM): `GET /v1/security/keys` there."""

    @model_validator(mode="after")
    def _source_is_trusted_for_a_reason(self) -> Self:
        if self.policy_source_url and not self.policy_source_trust:
            raise ValueError(
                "POLICY_SOURCE_TRUST must hold the public key of POLICY_SOURCE_URL: unsigned is not followed"
            )
        if self.policy_source_url and not self.policy_source_url.startswith(("http://", "https://")):
            raise ValueError("POLICY_SOURCE_URL must be an http:// or https:// address")
        return self
