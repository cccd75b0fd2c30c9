"""The collector that the settings name."""

from mutx.server.settings import Settings
from mutx.services.telemetry.collectors import Collector, choose


def collector_of(settings: Settings) -> Collector | None:
    """None: no spans are made. Raises SetupError for settings that lack something."""
    return choose(
        settings.otlp_endpoint,
        settings.otlp_headers.get_secret_value(),
        settings.otlp_preset,
        settings.otlp_api_key.get_secret_value(),
        settings.otlp_project,
        settings.otlp_token_url,
    )
