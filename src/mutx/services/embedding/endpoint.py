"""Vectors from any OpenAI-compatible endpoint (`POST embeddings`): Ollama, vLLM, llama.cpp, a provider."""

import asyncio
from collections.abc import Sequence

import httpx2
import msgspec
from msgspec import Struct

from mutx.kit.errors import Unavailable
from mutx.services.remote import answered

MAX_ANSWER = 4 * 1024 * 1024
MAX_DIMENSIONS = 16_384
AT_ONCE = 4


class _Embedding(Struct):
    index: int
    embedding: list[float]


class _Embeddings(Struct):
    data: list[_Embedding]


class EndpointEncoder:
    """`client`: without redirects, its base URL and key chosen by the installation's operator."""

    def __init__(self, client: httpx2.AsyncClient, model: str) -> None:
        self.name = model
        self._client = client
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        body = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        try:
            async with self._gate:
                content = await answered(self._client, "embeddings", body, most=MAX_ANSWER)
            answer = msgspec.json.decode(content, type=_Embeddings)
        except (httpx2.HTTPError, msgspec.MsgspecError, Unavailable) as error:
            raise Unavailable("the embedding endpoint gave no usable answer; see DRIFT_EMBEDDING_URL") from error
        vectors = [one.embedding for one in sorted(answer.data, key=lambda one: one.index)]
        if any(len(vector) > MAX_DIMENSIONS for vector in vectors):
            raise Unavailable("the embedding endpoint answered with vectors that are too long")
        return vectors

    async def close(self) -> None:
        await self._client.aclose()
