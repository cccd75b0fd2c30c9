"""The trained classifier: a linear model over hashed features and families, packed into one file.

`tools/train_guardrail.py` writes the file; `docs/guardrail-model.md` says what it was trained on and how well it does.
"""

import math
import struct
import sys
import zlib
from array import array
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate

import msgspec
from msgspec import Struct

from mutx.services.evalview.injection.features import SIZE
from mutx.services.evalview.injection.reading import FAMILIES, TextReading, name_of, read

SPANS = (1, 2, 4)
"""Neighbouring segments that are judged together; the whole text is judged as well."""
FILE = "weights.bin"
MAGIC = b"MUTXGRD1"


class Card(Struct, frozen=True, kw_only=True):
    """The file's head."""

    name: str
    features: int
    families: list[float]
    intercept: float
    scale: float
    """A stored number times this is a weight."""
    slope: float
    """What a text's length takes from its score: more windows are more chances to score high."""
    threshold: float
    """The score from which on a text counts as an attack."""


def length_of(segments: int) -> float:
    """The length that the slope counts: 0 for one segment, 1 for two, 2 for four."""
    return math.log2(max(1, segments))


class ModelScore(Struct, frozen=True):
    score: float
    """Above 0: an attack. Log-odds, shifted by the threshold."""
    start: int = 0
    """First segment of the window that scored highest."""
    stop: int = 0
    excerpt: str = ""
    signals: tuple[str, ...] = ()
    """Families found in that window, the weightiest first."""

    @property
    def probability(self) -> float:
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.score))))


class Model:
    """Pure and immutable. Two texts with one reading have one score."""

    def __init__(self, card: Card, weights: bytes) -> None:
        if card.features != SIZE or len(weights) != 2 * SIZE or len(card.families) != FAMILIES:
            raise ValueError("the guardrail's weights belong to another version of its features: train them again")
        self.card = card
        self._weights = array("h", weights)
        if sys.byteorder == "big":
            self._weights.byteswap()

    def judge(self, text: str) -> ModelScore:
        return self.judge_reading(read(text))

    def judge_reading(self, reading: TextReading) -> ModelScore:
        count = len(reading.segments)
        if not count:
            return ModelScore(-self.card.threshold)
        weights, families = self._weights, self.card.families
        sums = list(accumulate((sum(weights[at] for at in found) for found in reading.features), initial=0))
        sizes = list(accumulate((len(found) for found in reading.features), initial=0))
        signals = list(accumulate((sum(families[at] for at in found) for found in reading.families), initial=0.0))
        scale = self.card.scale
        best = (-math.inf, 0, 0)
        for span in {*SPANS, count}:
            for start in range(count - span + 1):
                stop = start + span
                words = (sums[stop] - sums[start]) * scale / math.sqrt(max(1, sizes[stop] - sizes[start]))
                best = max(best, (words + (signals[stop] - signals[start]) / span, start, stop))
        return self._verdict(reading, *best)

    def _verdict(self, reading: TextReading, score: float, start: int, stop: int) -> ModelScore:
        found = set().union(*reading.families[start:stop])
        weighty = sorted((at for at in found if self.card.families[at] > 0), key=lambda at: -self.card.families[at])
        return ModelScore(
            score + self.card.intercept - self.card.slope * length_of(len(reading.segments)) - self.card.threshold,
            start,
            stop,
            " ".join(reading.segments[start:stop])[:400],
            tuple(dict.fromkeys(map(name_of, weighty)))[:8],
        )


def pack(card: Card, weights: bytes) -> bytes:
    head = msgspec.json.encode(card)
    return MAGIC + struct.pack(">I", len(head)) + head + zlib.compress(weights, 9)


def unpack(blob: bytes) -> Model:
    """Raises ValueError for anything but a file of `pack`."""
    if not blob.startswith(MAGIC):
        raise ValueError("not a file of guardrail weights")
    (length,) = struct.unpack_from(">I", blob, len(MAGIC))
    at = len(MAGIC) + 4
    card = msgspec.json.decode(blob[at : at + length], type=Card)
    return Model(card, zlib.decompress(blob[at + length :]))


@lru_cache(maxsize=1)
def shipped() -> Model:
    """The model that comes with the package. Read once: it never changes."""
    return unpack(files("mutx.services.evalview.injection").joinpath(FILE).read_bytes())
