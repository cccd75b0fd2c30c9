"""Settings of how an action's distance from its request is measured."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class DriftSettings(BaseModel):
    """Words alone unless a model is named. The endpoint's address is the operator's, and may be local."""

    drift_embedding: Literal["", "local", "endpoint"] = ""
    """`local`: a sentence model on this machine; `endpoint`: an OpenAI-compatible one."""
    drift_embedding_model: str = ""
    """The folder of the local model, or the model's name at the endpoint."""
    drift_embedding_url: str = ""
    """Base URL of the endpoint, such as `http://127.0.0.1:11434/v1`."""
    drift_embedding_key: SecretStr = SecretStr("")
    drift_embedding_seconds: float = Field(2.0, gt=0, le=30)
    """Patience for one action; without an answer its words decide, and the turn says so."""
    drift_embedding_near: float = Field(0.2, ge=0, le=2)
    """The cosine distance that counts as 0."""
    drift_embedding_far: float = Field(0.9, gt=0, le=2)
    """The cosine distance that counts as 1."""
