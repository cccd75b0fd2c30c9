"""What the classifier sees of a piece of text: hashed words, beginnings of words, and word classes with their neighbours.

Everything here is a pure function of the text, in the standard library: the same for training and for the service.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from mutx.services.evalview.lexicon import STEM, UNSPACED, UNSPACED_WORDS, class_of

WORDS = 1 << 18
"""Hashed places of words and their neighbours; those of classes and shapes come after them."""
CLASSES = 1 << 14
SIZE = WORDS + CLASSES

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]{2,}|[\[\]<>{}|#*=]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("address", r"[\w.+-]{1,64}@[\w-]{1,64}\.[A-Za-z]{2,10}"),
        ("link", r"https?://|www\."),
        ("shout", r"\b[A-Z]{3,}(?: [A-Z]{2,}){2,}\b"),
        ("braces", r"\{\{?[A-Za-z_ ]{2,30}\}"),
        ("odd-case", r"[a-z]{2}[A-Z][a-z]+[A-Z]"),
    )
)


@lru_cache(maxsize=65536)
def _word(token: str) -> tuple[str, str]:
    """Beginning and class of a token."""
    return token[:STEM], class_of(token)


def tokens_of(text: str) -> list[str]:
    """Words in lower case, runs of marks, and the characters of scripts without spaces."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.isascii() or not _UNSPACED.match(token):
            found.append("0" if token.isdecimal() else token.lower()[:24])
        else:
            found.extend(token[:80])
    return found


def features_of(text: str) -> set[int]:
    """The hashed features of one segment: words below WORDS, classes and shapes from there on."""
    tokens = tokens_of(text)
    found = {crc32(name.encode()) % WORDS for name in _words(tokens)}
    found.update(WORDS + crc32(name.encode()) % CLASSES for name in _classes(text, tokens))
    found.update(WORDS + crc32(name.encode()) % CLASSES for name, pattern in _SHAPES if pattern.search(text))
    return found


def _words(tokens: list[str]) -> Iterator[str]:
    before = before2 = "^"
    for token in tokens:
        stem = _word(token)[0]
        yield "w" + token
        yield stem
        yield before + " " + stem
        yield before2 + "  " + stem
        before2, before = before, stem


def _classes(text: str, tokens: list[str]) -> Iterator[str]:
    seen: list[tuple[int, str]] = []
    for at, token in enumerate(tokens):
        name = _word(token)[1]
        if name:
            seen.append((at, name))
    if not text.isascii():
        seen += [(match.start(), UNSPACED[match[0]]) for match in UNSPACED_WORDS.finditer(text)]
    present = sorted({name for _, name in seen})
    for index, name in enumerate(present):
        yield "c" + name
        for other in present[index + 1 :]:
            yield "p" + name + other
    for (at, name), (after, other) in pairwise(seen):
        if after - at <= 4:
            yield "n" + name + other
    for (at, one), (_, two), (after, three) in zip(seen, seen[1:], seen[2:], strict=False):
        if after - at <= 8:
            yield "t" + one + two + three
    if tokens and seen and seen[0][0] == 0:
        yield "f" + seen[0][1]
