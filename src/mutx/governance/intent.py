"""Has the session left what it was asked to do? Deterministic, without a model (AARM R7).

The distance of one action is the share of it that the request does not account for, 0 to 1: the better of how its
tool's name and how its arguments are covered by the request's words. A few families of words (pay, money, transfer)
count as one word; word forms are compared by their character trigrams. Reading is how an agent finds its way, so a
read is never further than `READ_DISTANCE`.

Where an installation has an embedding model, its distance between the request and the action (`action_text`) takes the
place of the lexical one. It comes in as a fact of the decision.

Drift is cumulative: an exponential moving average of the distances (`SMOOTHING`), to which pressure is added (refused and
failed calls, and writing outward while the session holds confidential data), and the farthest that any one action was. The
average is held against the thresholds of a profile, which are lower once one action was far. In `STANDARD` one stray
action moves the average by at most `SMOOTHING`, below every threshold; several do not stay below.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mutx.governance.tools import Access, ToolSchema
from mutx.governance.types import IntentSignal

SMOOTHING = 0.25
READ_DISTANCE = 0.4
DENIED_WEIGHT = 0.3
ERROR_WEIGHT = 0.1
OUTWARD_WEIGHT = 0.1
GRAM_COVER = 0.6

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_WORDS = 24
_MAX_TEXT = 400
MAX_ACTION = 2000
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


class DriftThresholds(Struct, frozen=True):
    """When a session counts as drifting; distances and averages from 0 to 1."""

    name: str
    suspected: float
    confirmed: float
    far: float
    """An action at this distance is far."""
    after_far: float
    """Takes the place of `suspected` once an action of the session was far."""


STRICT = DriftThresholds("strict", suspected=0.42, confirmed=0.6, far=0.6, after_far=0.15)
STANDARD = DriftThresholds("standard", suspected=0.45, confirmed=0.7, far=0.6, after_far=0.35)
PERMISSIVE = DriftThresholds("permissive", suspected=0.55, confirmed=0.75, far=0.9, after_far=0.5)
THRESHOLDS: Mapping[str, DriftThresholds] = {one.name: one for one in (STRICT, STANDARD, PERMISSIVE)}
"""The strictest first. What false alarms they raise and what they find is measured by `mutx bench drift`."""


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
    return bounded(1.0 - covered, schema)


def bounded(found: float, schema: ToolSchema | None) -> float:
    """A read is never far."""
    reads = schema is not None and schema.access is Access.READ
    return min(found, READ_DISTANCE) if reads else found


def action_text(tool_name: str, args: Mapping[str, Any]) -> str:
    """An action in words, for a model that compares it with a request: at most `MAX_ACTION` characters."""
    name = " ".join(_WORD.findall(_CAMEL.sub(" ", tool_name[:_MAX_TEXT]).replace("_", " ")))
    said = [
        f"{key[:64]}: {str(value)[:_MAX_TEXT]}"
        for key, value in list(args.items())[:_MAX_WORDS]
        if isinstance(value, str | int | float | list)
    ]
    return "; ".join((name, *said))[:MAX_ACTION]


def cumulative(drift: float, step: float) -> float:
    return drift + SMOOTHING * (step - drift)


def signal(drift: float, farthest: float, pressure: Pressure, thresholds: DriftThresholds = STANDARD) -> IntentSignal:
    """Drift and pressure against the thresholds. `farthest`: the greatest distance of one action of the session."""
    calls = pressure.calls + 1
    score = drift + DENIED_WEIGHT * pressure.denied / calls + ERROR_WEIGHT * pressure.errors / calls
    if pressure.outward:
        score += OUTWARD_WEIGHT
    if score >= thresholds.confirmed:
        return IntentSignal.DRIFT_CONFIRMED
    limit = thresholds.after_far if farthest >= thresholds.far else thresholds.suspected
    return IntentSignal.DRIFT_SUSPECTED if score >= limit else IntentSignal.ALIGNED


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
