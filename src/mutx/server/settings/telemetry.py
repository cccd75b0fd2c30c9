"""Settings of what one sees: logs, traces, events."""

from pathlib import Path

from pydantic import BaseModel, Field


class TelemetrySettings(BaseModel):
    """Where events, traces and log lines go."""

    event_log: Path | None = None
    """File that gets every event as a JSON line, for a SIEM to collect."""
    otlp_endpoint: str = ""
    """OTLP/HTTP traces URL (`http://collector:4318/v1/traces`) that gets every event as a span."""
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_json: bool = True
