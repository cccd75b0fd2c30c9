"""Whether the server is there, and whether it can do its work."""

from pydantic import Field

from mutx.contract.base import Schema, Timestamp
from mutx.contract.operation import operation


class Component(Schema):
    status: str
    """`healthy` or `unhealthy`."""
    reason: str = ""
    """What is wrong and what to do, where something is."""


class Health(Schema):
    status: str
    """`healthy`, or `degraded` where a component is not."""
    timestamp: Timestamp
    version: str
    uptime_seconds: float
    database: str
    error: str | None = None
    components: dict[str, Component]
    schema_repairs_applied: list[str] = Field(
        default_factory=list, description="Always empty: migrations replaced repair."
    )


class Readiness(Schema):
    status: str
    timestamp: Timestamp
    components: dict[str, Component]


class ServerInfo(Schema):
    name: str
    version: str
    docs: str | None
    health: str


@operation("GET", "/health", public=True, prefix="")
def health() -> Health:
    """How the server and its parts are. Answers 200 as long as the process answers."""


@operation("GET", "/ready", public=True, prefix="")
def ready() -> Readiness:
    """Whether decisions can be made and recorded: 200, or 503 with what is missing."""


@operation("GET", "/", public=True, prefix="")
def server_info() -> ServerInfo:
    """What this is and where to go on."""


@operation(
    "GET", "/metrics", public=True, prefix="", media_type="text/plain; version=0.0.4; charset=utf-8", errors=(401,)
)
def metrics() -> str:
    """Metrics in the Prometheus text format. Where others can reach the server: with METRICS_TOKEN as bearer token."""
