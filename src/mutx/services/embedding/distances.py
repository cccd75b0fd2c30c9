"""How far an action is from a request by a model's vectors: remembered, bounded in time, and silent rather than late.

Cosine distances of sentence models are not 0 where two texts agree nor 1 where they have nothing in common, and every model
has a range of its own: `near` and `far` say what counts as 0 and as 1.
"""

import asyncio
import hashlib
import math
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import structlog
from msgspec import Struct

from mutx.governance.types import MeasuredDistance
from mutx.kit.clock import Clock
from mutx.kit.errors import Unavailable

log = structlog.stdlib.get_logger("mutx.embedding")

REMEMBERED = 4096
"""Texts whose vectors are kept."""
MAX_TEXT = 8000
"""Characters of a text that a model is given."""
SILENT_SECONDS = 15.0
"""After a failure the model is not asked for so long: decisions must not wait for one that is away."""
DIGITS = 4

Vector: TypeAlias = "array[float]"


class Encoder(Protocol):
    """Turns texts into vectors of one length."""

    name: str

    async def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text. Raises Unavailable."""

    async def close(self) -> None: ...


class CosineRange(Struct, frozen=True):
    """Which cosine distances count as 0 and as 1."""

    near: float = 0.2
    far: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.near < self.far <= 2:
            raise ValueError("near must be less than far, both from 0 to 2")

    def scaled(self, cosine: float) -> float:
        share = (cosine - self.near) / (self.far - self.near)
        return round(min(1.0, max(0.0, share)), DIGITS)


class SentenceDistances:
    """Implements `governance.ports.Embedder` over an encoder. On one event loop."""

    def __init__(self, encoder: Encoder, clock: Clock, *, seconds: float, span: CosineRange | None = None) -> None:
        """`seconds`: patience for one action."""
        self._encoder = encoder
        self._clock = clock
        self._seconds = seconds
        self._span = span or CosineRange()
        self._known: OrderedDict[bytes, Vector] = OrderedDict()
        self._silent_until = 0.0

    async def measure(self, request: str, action: str) -> MeasuredDistance:
        pair = request[:MAX_TEXT], action[:MAX_TEXT]
        for key in map(_key, pair):
            if key in self._known:
                self._known.move_to_end(key)  # so that what is learnt does not push it out
        missing = [text for text in dict.fromkeys(pair) if _key(text) not in self._known]
        if missing and self._clock.now() < self._silent_until:
            return MeasuredDistance(self._encoder.name, None)
        try:
            if missing:
                async with asyncio.timeout(self._seconds):
                    await self._learn(missing)
            one, other = (self._recalled(text) for text in pair)
            return MeasuredDistance(self._encoder.name, self._span.scaled(cosine_distance(one, other)))
        except (TimeoutError, Unavailable) as error:
            self._silent_until = self._clock.now() + SILENT_SECONDS
            log.warning("the embedding model gave no answer; words decide", model=self._encoder.name, error=str(error))
            return MeasuredDistance(self._encoder.name, None)

    async def close(self) -> None:
        await self._encoder.close()

    async def _learn(self, texts: Sequence[str]) -> None:
        vectors = await self._encoder.encode(texts)
        if len(vectors) != len(texts):
            raise Unavailable("the embedding model answered with another number of vectors")
        for text, vector in zip(texts, vectors, strict=True):
            self._known[_key(text)] = array("d", vector)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _recalled(self, text: str) -> Vector:
        """Raises Unavailable where other texts have pushed it out meanwhile."""
        found = self._known.get(_key(text))
        if found is None:
            raise Unavailable("too many texts at once")
        return found


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def cosine_distance(one: Vector, other: Vector) -> float:
    """1 - cosine, 0 to 2. Raises Unavailable for vectors that have no direction or do not belong together."""
    length = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or not math.isfinite(length) or length == 0:
        raise Unavailable("the embedding model answered with vectors that cannot be compared")
    return 1.0 - math.fsum(a * b for a, b in zip(one, other, strict=True)) / length
