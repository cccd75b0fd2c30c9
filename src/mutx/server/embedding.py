"""What measures an action's distance from its request in this installation."""

from pathlib import Path

from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.server.model_client import model_client
from mutx.server.settings import Settings
from mutx.services.embedding.distances import CosineRange, Encoder, SentenceDistances
from mutx.services.embedding.endpoint import EndpointEncoder
from mutx.services.embedding.local import open_model


def open_embedder(settings: Settings, clock: Clock) -> SentenceDistances | None:
    """None: words alone. Raises SetupError for settings that do not fit together, or a model that cannot be read."""
    if not settings.drift_embedding:
        return None
    if not settings.drift_embedding_model:
        raise SetupError("DRIFT_EMBEDDING is set: say with DRIFT_EMBEDDING_MODEL which model measures")
    try:
        span = CosineRange(settings.drift_embedding_near, settings.drift_embedding_far)
    except ValueError as error:
        raise SetupError(f"DRIFT_EMBEDDING_NEAR and DRIFT_EMBEDDING_FAR: {error}") from error
    return SentenceDistances(_encoder(settings), clock, seconds=settings.drift_embedding_seconds, span=span)


def _encoder(settings: Settings) -> Encoder:
    if settings.drift_embedding == "local":
        return open_model(Path(settings.drift_embedding_model).expanduser())
    if not settings.drift_embedding_url:
        raise SetupError("DRIFT_EMBEDDING is `endpoint`: say with DRIFT_EMBEDDING_URL where it answers")
    client = model_client(settings.drift_embedding_url, settings.drift_embedding_key, settings.drift_embedding_seconds)
    return EndpointEncoder(client, settings.drift_embedding_model)
