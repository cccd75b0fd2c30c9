"""Words of a text in the form in which two spellings of one word are equal. English; no model, no download.

`stems` is what requests, tool names and word lists are compared by: casefolded, inflection cut off, a few irregular
verbs undone. What a text names beside words (an address, an amount, a link, a file, a date) is one of the `THINGS`.
"""

import re
from collections.abc import Iterator, Mapping

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IRREGULAR: Mapping[str, str] = {
    **dict.fromkeys(("sent", "sending"), "send"),
    **dict.fromkeys(("paid", "payment", "payments"), "pay"),
    **dict.fromkeys(("made", "making"), "make"),
    **dict.fromkeys(("bought",), "buy"),
    **dict.fromkeys(("wrote", "written"), "write"),
    **dict.fromkeys(("gave", "given"), "give"),
    **dict.fromkeys(("told",), "tell"),
    **dict.fromkeys(("ran",), "run"),
    **dict.fromkeys(("got", "gotten"), "get"),
    **dict.fromkeys(("cancelled", "cancelling", "cancellation"), "cancel"),
    **dict.fromkeys(("deletion",), "delete"),
    **dict.fromkeys(("invitation", "invitations"), "invite"),
    **dict.fromkeys(("reservation", "reservations"), "reserve"),
    **dict.fromkeys(("people",), "person"),
    **dict.fromkeys(("set", "setting"), "set"),
    "scheduled": "scheduled",  # what stands in a calendar, not what is to be put there
}
THINGS: Mapping[str, re.Pattern[str]] = {
    "@address": re.compile(r"[\w.+-]{1,64}+@[\w-]++\.[\w.]"),
    "@amount": re.compile(r"[$€£¥]\s?\d|\b\d[\d.,]{0,12}+\s?(?:[$€£¥]|usd|eur|gbp|chf|dollars?|euros?|pounds?)", re.I),
    "@link": re.compile(r"https?://|\bwww\.", re.I),
    "@file": re.compile(r"(?<![\w:/])~?/[\w.-]{2}|[\w-]\.[a-z]{2,4}\b(?<!\.com)(?<!\.org)(?<!\.net)", re.I),
    "@account": re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9 ]{10,30}\b"),
}
"""What else a request may name, as pseudo-words for lists of objects."""


def stem(word: str) -> str:
    """`Sharing`, `shared` and `shares` are `shar`, as `share` is."""
    word = word.casefold().partition("'")[0].partition("’")[0]
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif len(word) > 4 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    elif len(word) > 5 and word.endswith("ing"):
        word = _single(word[:-3])
    elif len(word) > 4 and word.endswith("ed"):
        word = _single(word[:-2])
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def words(text: str) -> Iterator[str]:
    """The words as they stand, names in camel case taken apart."""
    for match in _WORD.finditer(_CAMEL.sub(" ", text).replace("_", " ")):
        yield match.group()


def stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


def things(text: str) -> Iterator[str]:
    """Which of `THINGS` a text names."""
    return (name for name, pattern in THINGS.items() if pattern.search(text))


def _single(word: str) -> str:
    """`putt` is `put`; words that end in a double letter of their own (`call`, `pass`) stay."""
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsfz":
        return word[:-1]
    return word
