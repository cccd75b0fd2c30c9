"""Settings of SPIFFE identities."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import NoDecode


class SpiffeSettings(BaseModel):
    """One trust domain whose workloads may come as agents. Needs the extra `spiffe`."""

    spiffe_trust_domain: str = Field("", max_length=255, pattern=r"^[a-z0-9._-]*$")
    """As in `spiffe://DOMAIN/...`; empty: no SPIFFE identities."""
    spiffe_endpoint_socket: str = ""
    """Of the Workload API, as agents have it: `unix:///run/spire/agent.sock`."""
    spiffe_bundle_path: Path | None = None
    """The trust domain's bundle as a file (SPIFFE format), instead of the Workload API."""
    spiffe_audience: Annotated[tuple[str, ...], NoDecode] = ()
    """Whom JWT-SVIDs have to be for, by comma; empty: PUBLIC_URL."""
    spiffe_agent_path: str = "/agent/{agent_id}"
    """The path of an agent's SPIFFE ID."""

    @model_validator(mode="after")
    def _has_a_bundle(self) -> Self:
        if not self.spiffe_trust_domain:
            return self
        if bool(self.spiffe_endpoint_socket) == (self.spiffe_bundle_path is not None):
            raise ValueError(
                "SPIFFE_TRUST_DOMAIN needs its bundle: set either SPIFFE_ENDPOINT_SOCKET or SPIFFE_BUNDLE_PATH"
            )
        path = self.spiffe_agent_path
        if not path.startswith("/") or path.count("{agent_id}") != 1:
            raise ValueError("SPIFFE_AGENT_PATH must begin with / and hold {agent_id} once")
        return self
