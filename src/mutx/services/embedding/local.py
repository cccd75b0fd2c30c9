"""Vectors from a sentence model on this machine, by the library `sentence-transformers`. Nothing is downloaded."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from mutx.kit.errors import SetupError, Unavailable


class SentenceModel(Protocol):
    """What is used of `SentenceTransformer`."""

    def encode(self, sentences: list[str], *, normalize_embeddings: bool, show_progress_bar: bool) -> Any:
        """Rows of numbers, one for each sentence."""


class LocalEncoder:
    """The model computes in one thread of its own: it would hold the loop."""

    def __init__(self, model: SentenceModel, name: str) -> None:
        self.name = name
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")

    async def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._encode, list(texts))

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: list[str]) -> list[list[float]]:
        try:
            rows = self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
            return [[float(value) for value in row] for row in rows]
        except (RuntimeError, ValueError, TypeError) as error:
            raise Unavailable(f"the sentence model {self.name} failed: {error}") from error


def open_model(folder: Path) -> LocalEncoder:
    """The model in a folder. Raises SetupError."""
    if not folder.is_dir():
        raise SetupError(f"there is no sentence model at {folder}; DRIFT_EMBEDDING_MODEL names a folder that holds one")
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        raise SetupError(
            "a local sentence model needs the library sentence-transformers: pip install sentence-transformers"
            f" ({error.name} is missing)"
        ) from error
    try:
        model = SentenceTransformer(str(folder), local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise SetupError(f"there is no sentence model that can be read at {folder}: {error}") from error
    return LocalEncoder(model, folder.name)
