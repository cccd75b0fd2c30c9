"""A text as the classifier reads it: segments, each with its features and the families of attack that begin in it."""

from bisect import bisect_right

from msgspec import Struct

from mutx.services.evalview.injection.features import features_of
from mutx.services.evalview.injection.patterns import IN_DOCUMENT, NAMES, REQUESTING, families_in
from mutx.services.evalview.injection.segments import segments_of

FAMILIES = 2 * len(NAMES)
"""Places of families: first as found where a person asks, then as found within a document."""
FEWEST = 4
"""Segments of a document."""
MOST_ASKING = 0.34
"""Share of a document's segments that may ask for something."""


class TextReading(Struct, frozen=True):
    """Three lists of one length."""

    segments: list[str]
    features: list[set[int]]
    families: list[set[int]]


def read(text: str) -> TextReading:
    segments = segments_of(text)
    return TextReading(segments, [features_of(segment) for segment in segments], _families(segments))


def name_of(family: int) -> str:
    return NAMES[family % len(NAMES)]


def _families(segments: list[str]) -> list[set[int]]:
    pieces = [segment.replace("\n", " ").encode() for segment in segments]
    starts = [0]
    for piece in pieces[:-1]:
        starts.append(starts[-1] + len(piece) + 1)
    found: list[set[int]] = [set() for _ in segments]
    for family, start in families_in(b"\n".join(pieces)):
        # A family that is anchored at a line's beginning may begin with the break before it.
        found[max(0, bisect_right(starts, start + 1) - 1)].add(family)
    asking = sum(1 for families in found if families & REQUESTING)
    if len(segments) < FEWEST or asking > MOST_ASKING * len(segments):
        return found
    return [{family + len(NAMES) * (family in IN_DOCUMENT) for family in families} for families in found]
