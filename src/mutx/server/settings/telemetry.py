"""Settings of what one sees: logs, traces, events."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

LEAST_TOKEN = 16


class TelemetrySettings(BaseModel):
    """Where events, traces and log lines go."""

    event_log: Path | None = None
    """File that gets every event as a JSON line, for a SIEM to collect."""
    otlp_endpoint: str = ""
    """OTLP/HTTP traces URL (`http://collector:4318/v1/traces`) that gets every event as a span."""
    otlp_headers: SecretStr = SecretStr("")
    """Headers for it, as in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded."""
    otlp_preset: str = Field("", pattern="^(|agentops|braintrust|helicone|weave)$")
    """An observability product that gets the spans; needs OTLP_API_KEY, and OTLP_PROJECT where keys name no project."""
    otlp_api_key: SecretStr = SecretStr("")
    otlp_project: str = ""
    """Braintrust: its name; Weave: `entity/project`; Helicone, if given: a property of every span."""
    otlp_token_url: str = ""
    """Where an AgentOps installation of one's own exchanges keys for tokens; belongs to OTLP_ENDPOINT."""
    trace_ratio: float = Field(1.0, ge=0, le=1)
    """Share of the requests without a trace of their caller's that get one, where spans are sent somewhere."""
    metrics_token: SecretStr = SecretStr("")
    """Bearer token that reads /metrics. Without one, /metrics is open on loopback and closed elsewhere."""
    metrics_port: int = Field(0, ge=0, le=65_535)
    """A port of its own for /metrics, for a network that clients do not reach; 0: none."""
    metrics_host: str = ""
    """Where METRICS_PORT listens; empty: HOST."""
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_json: bool = True

    @field_validator("metrics_token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr) -> SecretStr:
        """Probes are not counted against rate limits, so nothing slows guessing down."""
        if 0 < len(token.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"METRICS_TOKEN must have at least {LEAST_TOKEN} characters; take random ones")
        return token
