"""Lengths in tokens, by a real tokenizer where the extra `tokens` is installed, else by a bound that errs on the long side."""

import importlib.util
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol

PIECE = re.compile(r"\w+|[^\w\s]|\s+")
BYTES_PER_TOKEN = 3
"""Fewer than any tokenizer in use averages on text."""


class Tokenizer(Protocol):
    name: str

    def count(self, text: str) -> int: ...

    def cut(self, text: str, tokens: int) -> str:
        """The longest beginning of `text` that is known to have at most so many tokens."""
        ...


class BoundTokenizer:
    """Counts more tokens than there are: a text that passes is short enough for certain on ordinary text."""

    name = "bound"

    def count(self, text: str) -> int:
        return sum(self._size(match[0]) for match in PIECE.finditer(text))

    def cut(self, text: str, tokens: int) -> str:
        used = 0
        for match in PIECE.finditer(text):
            used += self._size(match[0])
            if used > tokens:
                return text[: match.start()]
        return text

    @staticmethod
    def _size(piece: str) -> int:
        return 0 if piece == " " else -(-len(piece.encode()) // BYTES_PER_TOKEN)


class TekkenTokenizer:
    """Mistral's Tekken vocabulary, which comes with mistral-common."""

    name = "tekken"

    def count(self, text: str) -> int:
        return len(_tekken().encode(text, bos=False, eos=False))

    def cut(self, text: str, tokens: int) -> str:
        found = _tekken().encode(text, bos=False, eos=False)
        if len(found) <= tokens:
            return text
        # The last token may hold half a character: what decodes must be a beginning of the text.
        kept: str = _tekken().decode(found[:tokens])
        while kept and not text.startswith(kept):
            kept = kept[:-1]
        return kept


@lru_cache(maxsize=1)
def _tekken() -> Any:
    """Loaded on first use, which takes a second: most texts are too short to need counting."""
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    vocabulary = files("mistral_common").joinpath("data", "tekken_240911.json")
    return Tekkenizer.from_file(str(vocabulary))


def open_tokenizer() -> Tokenizer:
    """The real one if its extra is there."""
    return TekkenTokenizer() if importlib.util.find_spec("mistral_common") else BoundTokenizer()
