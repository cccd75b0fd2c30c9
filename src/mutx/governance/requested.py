"""Does the user's request ask for this kind of action at all?

A policy says of a tool by which words a request asks for it (`requested_by`). It is lexical and knows no grammar
beyond a negation right before the word: "do not send" asks for nothing.
"""

from collections.abc import Iterable

from msgspec import Struct

from mutx.governance.words import stem, stems, things

_NEGATIONS = frozenset(map(stem, ("not", "never", "without", "don't", "dont", "avoid")))
_REACH = 2
"""How many words before a verb a negation still bears on it."""


class RequestWords(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words by which a request asks for a tool; compared by their stems. Objects may be `words.THINGS`, as `@address`."""

    words: tuple[str, ...] = ()
    """Any one of them is enough."""
    verbs: tuple[str, ...] = ()
    """Any one of them, together with one of `objects`."""
    objects: tuple[str, ...] = ()


def features(*texts: str | None) -> frozenset[str]:
    """What a request mentions: stems of its words, without negated ones, and things."""
    found: set[str] = set()
    for text in texts:
        if text:
            every = stems(text)
            found.update(word for at, word in enumerate(every) if not _negated(every, at))
            found.update(things(text))
    return frozenset(found)


def asks_for(request: frozenset[str], wanted: RequestWords) -> bool:
    if _any(wanted.words, request):
        return True
    return _any(wanted.verbs, request) and _any(wanted.objects, request)


def _any(candidates: Iterable[str], request: frozenset[str]) -> bool:
    return any((word if word.startswith("@") else stem(word)) in request for word in candidates)


def _negated(every: list[str], at: int) -> bool:
    return any(word in _NEGATIONS for word in every[max(0, at - _REACH) : at])
