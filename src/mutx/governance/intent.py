"""Has the session left what it was asked to do? Deterministic, without a model (AARM R7).

The distance of one action is the share of it that the request does not account for, 0 to 1: the better of how its
tool's name and how its arguments are covered by the request's words. A few families of words (pay, money, transfer)
count as one word; word forms are compared by their character trigrams. Reading is how an agent finds its way, so a
read is never further than `READ_DISTANCE`.

Drift is cumulative: an exponential moving average of the distances (`SMOOTHING`), to which pressure is added: refused
and failed calls, and writing outward while the session holds confidential data. One stray action moves drift by at
most `SMOOTHING`, well below `SUSPECTED`; ten that stray ever further do not stay below it.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mutx.governance.tools import Access, ToolSchema
from mutx.governance.types import IntentSignal

SMOOTHING = 0.25
SUSPECTED = 0.55
CONFIRMED = 0.75
READ_DISTANCE = 0.4
DENIED_WEIGHT = 0.3
ERROR_WEIGHT = 0.1
OUTWARD_WEIGHT = 0.1
GRAM_COVER = 0.6

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_WORDS = 24
_MAX_TEXT = 400
_FAMILIES: Mapping[str, str] = {
    word: words.split()[0]
    for words in (
        "pay payment payments paid money transfer transfers bill bills invoice invoices refund transaction transactions amount bank balance iban spend spent",
        "mail mails email emails inbox message messages reply forward send sent recipient",
        "file files folder document documents doc docs report directory drive path attachment",
        "calendar event events meeting meetings appointment schedule reschedule invite availability",
        "find search look lookup query list get fetch read show check see summarize summary what who when which",
        "create add make write new insert save draft",
        "delete remove cancel drop erase clear",
        "update change edit set modify rename adjust",
        "run execute command shell script terminal bash process",
        "web website page url link http browse download site internet request",
        "user users account accounts profile password address contact contacts person people member",
        "database sql table row rows record records select",
    )
    for word in words.split()
}


class Scope(Struct, frozen=True):
    """What a request accounts for."""

    words: frozenset[str]
    grams: frozenset[str]


class Pressure(Struct, frozen=True):
    """What beside the distance speaks for drift, as the session's counters have it."""

    calls: int
    denied: int
    errors: int
    outward: bool


def scope_of(*texts: str | None) -> Scope:
    words = {word for text in texts if text for word in _words(text)}
    return Scope(frozenset(map(_family, words)), frozenset(gram for word in words for gram in _grams(word)))


def distance(scope: Scope, tool_name: str, args: Mapping[str, Any], schema: ToolSchema | None) -> float:
    """How much of the action the request does not account for, 0 to 1."""
    name = _covered(scope, _words(_CAMEL.sub(" ", tool_name)))
    covered = name if name == 1.0 else max(name, _covered(scope, _argument_words(args)))
    reads = schema is not None and schema.access is Access.READ
    return min(1.0 - covered, READ_DISTANCE) if reads else 1.0 - covered


def cumulative(drift: float, step: float) -> float:
    return drift + SMOOTHING * (step - drift)


def signal(drift: float, pressure: Pressure) -> IntentSignal:
    """Drift and pressure against the thresholds."""
    calls = pressure.calls + 1
    score = drift + DENIED_WEIGHT * pressure.denied / calls + ERROR_WEIGHT * pressure.errors / calls
    if pressure.outward:
        score += OUTWARD_WEIGHT
    if score >= CONFIRMED:
        return IntentSignal.DRIFT_CONFIRMED
    return IntentSignal.DRIFT_SUSPECTED if score >= SUSPECTED else IntentSignal.ALIGNED


def _covered(scope: Scope, words: list[str]) -> float:
    if not words:
        return 0.0
    return sum(_family(word) in scope.words or _resembles(scope, word) for word in words) / len(words)


def _resembles(scope: Scope, word: str) -> bool:
    grams = _grams(word)
    return len(grams) > 1 and len(grams & scope.grams) >= GRAM_COVER * len(grams)


def _argument_words(args: Mapping[str, Any]) -> list[str]:
    texts = [
        str(value)[:_MAX_TEXT] for value in list(args.values())[:_MAX_WORDS] if isinstance(value, str | int | float)
    ]
    return _words(" ".join(texts))[:_MAX_WORDS]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if len(word) > 2]


def _family(word: str) -> str:
    return _FAMILIES.get(word, word)


def _grams(word: str) -> set[str]:
    return {word[at : at + 3] for at in range(len(word) - 2)}
