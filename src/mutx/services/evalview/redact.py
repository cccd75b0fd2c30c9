"""Personal data out of a text: for good, or behind marks that only this installation can turn back."""

import html
import re
from collections.abc import Sequence
from enum import StrEnum

from mutx.services.evalview.pii import PersonalData

MARK = "[REDACTED]"
_TOKEN = re.compile(r"\[([A-Z_]{2,32})_(\d{1,5})\]")


class Redaction(StrEnum):
    MASK = "mask"
    TOKENS = "tokens"


class OutputEncoding(StrEnum):
    NONE = "none"
    HTML = "html"
    """For a page: mark-up in it is shown, not run."""


def mask(text: str, found: Sequence[PersonalData]) -> str:
    """Every finding becomes [REDACTED]."""
    return _replaced(text, found, [MARK] * len(found))


def tokenise(text: str, found: Sequence[PersonalData]) -> tuple[str, dict[str, str]]:
    """Every finding becomes a mark like [EMAIL_ADDRESS_1]; one value has one mark. Marks -> values, to be sealed.

    What looks like a mark already is left alone, and its number is not used: nobody can plant a mark that turns into another's
    value.
    """
    planted = {match[0] for match in _TOKEN.finditer(text)}
    marks: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    for one in found:
        key = (one.kind, text[one.start : one.stop])
        if key in marks:
            continue
        while True:
            counts[one.kind] = counts.get(one.kind, 0) + 1
            mark = f"[{one.kind}_{counts[one.kind]}]"
            if mark not in planted:
                break
        marks[key] = mark
    values = [marks[(one.kind, text[one.start : one.stop])] for one in found]
    return _replaced(text, found, values), {mark: value for (_, value), mark in marks.items()}


def restored(text: str, values: dict[str, str]) -> str:
    """`text` with the marks of `values` turned back; others stay."""
    return _TOKEN.sub(lambda match: values.get(match[0], match[0]), text)


def encoded(text: str, encoding: OutputEncoding) -> str:
    return html.escape(text) if encoding is OutputEncoding.HTML else text


def _replaced(text: str, found: Sequence[PersonalData], values: Sequence[str]) -> str:
    pieces: list[str] = []
    at = 0
    for one, value in zip(found, values, strict=True):
        pieces += [text[at : one.start], value]
        at = one.stop
    return "".join([*pieces, text[at:]])
