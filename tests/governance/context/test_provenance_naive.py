"""The index against a naive reading of the whole history: no hashes, no tables, no bounds, no state.

Both use the same reading of a text into values (`provenance_text`). What is compared is everything around it: which
mention wins, what a trusted tool that repeats its arguments vouches for, what was hidden, and what nested values come to.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from mutx.governance import provenance
from mutx.governance.context.leaves import read_leaves
from mutx.governance.instructions import orders
from mutx.governance.provenance_text import fold, number, phrase, quoted, tokens
from mutx.governance.types import Origin
from tests.governance.context.story import TRUSTED, UNTRUSTED, Story

PIECES = (
    "bob@corp.example", "BOB@corp.example", "ｂｏｂ@corp.example", "bo\u200bb@corp.example", "https://corp.example/a?id=7", "corp.example",
    "/data/q3.txt", "q3.txt", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "1,250.00", "1250", "50", "50.0",
    "INV-2024-7", "Kim", "Kim Fox", "the", "report", "张伟", "“Car Rental”", "car rental", "+49 30 1234567", "straße",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from((" ", ", ", "\n", "", "; ")).map(lambda gap: gap.join(parts))
)
LEAVES = TEXTS | st.sampled_from((50, 50.0, -1250, 7, True, None))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("to", "note", "bob@corp.example")), inner, max_size=3)
    ),
    max_leaves=5,
)


class Read(Struct):
    """One call of the history."""

    trusted: bool
    args: dict[str, Any]
    output: Any


HISTORIES = st.lists(st.builds(Read, st.booleans(), st.fixed_dictionaries({"q": TEXTS}), VALUES), max_size=5)


def mentions(texts: list[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        found |= {fold(text), *quoted(text)}
        for token in tokens(text):
            found |= {token.text, *token.also, *token.parts}
    return found - {""}


class Naive:
    """Reads everything again for every question."""

    def __init__(self, request: str, history: list[Read]) -> None:
        self.request, self.history = request, history
        self.unknown = (
            Origin.UNTRUSTED if any(read.output is None and not read.trusted for read in history) else Origin.NOWHERE
        )

    def mentioned(self, text: str) -> Origin | None:
        if text in mentions([self.request]):
            return Origin.REQUEST
        found = None
        for read in self.history:
            for leaf in read_leaves(read.output)[0]:
                if text in mentions([leaf]):
                    if read.trusted and not _orders(leaf):
                        if text not in mentions(read_leaves(read.args)[0]):
                            return Origin.TRUSTED
                    else:
                        found = Origin.UNTRUSTED
        return found

    def known(self, text: str) -> Origin:
        found = self.mentioned(text)
        return self.unknown if found is None else found

    def origin(self, value: Any) -> Origin:
        if value is None or isinstance(value, bool):
            return Origin.NOWHERE
        if isinstance(value, (int, float)):
            return self.known(number(value))
        if isinstance(value, str):
            return self.text(value)
        inner = (
            [*value.values(), *(key for key in value if not key.isidentifier())] if isinstance(value, dict) else value
        )
        return self.worst([self.origin(one) for one in inner], Origin.NOWHERE)

    def text(self, text: str) -> Origin:
        whole = self.mentioned(fold(text))
        if whole in (Origin.REQUEST, Origin.TRUSTED):
            return whole
        words = phrase(text)
        if " " in text.strip() and words.count(" ") > 2 and words in phrase(self.request):
            return Origin.REQUEST
        if whole is not None:
            return whole
        named = list(tokens(text))
        decisive = [token for token in named if token.strong] or named
        return self.worst([self.token(token.text, token.parts) for token in decisive], self.unknown)

    def token(self, text: str, parts: tuple[str, ...]) -> Origin:
        found = self.mentioned(text)
        if found is None and parts:
            found = self.worst([self.known(part) for part in parts], self.unknown)
        return self.unknown if found is None else found

    @staticmethod
    def worst(found: list[Origin], otherwise: Origin) -> Origin:
        ranked = (Origin.UNTRUSTED, Origin.NOWHERE, Origin.TRUSTED, Origin.REQUEST)
        return next((origin for origin in ranked if origin in found), otherwise)


def _orders(leaf: str) -> bool:
    return leaf.count(" ") > 2 and any(orders([leaf]))


@settings(max_examples=80, deadline=None)
@given(TEXTS, HISTORIES, st.lists(VALUES, min_size=1, max_size=4))
def test_the_index_answers_as_the_whole_history_would(request: str, history: list[Read], asked: list[Any]) -> None:
    story = Story(request)
    for read in history:
        story.run(TRUSTED if read.trusted else UNTRUSTED, read.output, **read.args)
    story.observe("any")
    naive = Naive(request if story.context.original_request else "", history)
    for value in asked:
        assert story.origin(value) is naive.origin(value), value


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 2), st.lists(TEXTS, min_size=1, max_size=3))
def test_what_a_bound_drops_counts_as_untrusted_whatever_was_in_it(rounds: int, texts: list[str]) -> None:
    story = Story("Write to ann@corp.example")
    for text in texts:
        story.run(UNTRUSTED, text)
    for part in range(rounds):
        story.run(UNTRUSTED, " ".join(f"filler{part}x{at}" for at in range(provenance.MAX_VALUES)))
    index = story.context.provenance
    assert index.dropped
    assert max(map(len, (*index.tables, index.fields, index.told))) <= provenance.MAX_VALUES
    for text in texts:
        known = Naive("Write to ann@corp.example", []).origin(text)
        assert story.origin(text) is (Origin.REQUEST if known is Origin.REQUEST else Origin.UNTRUSTED)
    assert story.origin("ann@corp.example") is Origin.REQUEST
    assert story.origin("never@seen.example") is Origin.UNTRUSTED
