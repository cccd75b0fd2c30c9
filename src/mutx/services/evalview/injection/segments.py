"""A text as the pieces in which an attack may sit: sentences and lines, and runs of neighbours."""

import re
from collections.abc import Iterator

LONGEST = 400
"""Characters of a segment."""
SPANS = (1, 2, 3, 6)
"""Neighbouring segments that are judged together."""

_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=[。！？؟।])\s*|\s*\n\s*")


def segments_of(text: str) -> list[str]:
    """Sentences and lines, cut at LONGEST characters; a fragment without two letters joins its neighbour."""
    pieces: list[str] = []
    for part in _BREAK.split(text):
        for piece in _cut(part.strip()):
            if pieces and len(pieces[-1]) < 12:
                pieces[-1] += " " + piece
            else:
                pieces.append(piece)
    return pieces


def _cut(part: str) -> Iterator[str]:
    while len(part) > LONGEST:
        at = part.rfind(" ", LONGEST // 2, LONGEST)
        at = at if at > 0 else LONGEST
        yield part[:at]
        part = part[at:].lstrip()
    if part:
        yield part
