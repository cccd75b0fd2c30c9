"""What a tool's output is labelled: confidentiality and trust (DESIGN §2; AARM R2: no answer means the highest)."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mutx.governance.detectors import find_card, find_iban, find_ssn
from mutx.governance.tools import ToolSchema
from mutx.governance.types import Confidentiality, Label

Classifier = Callable[[Any], Label | None]
"""Says what a result is, or None when it cannot tell. It must be pure and quick: it runs in `conclude`."""

Suspect = Callable[[Sequence[str]], bool]
"""Says whether an attack stands in a result's texts. Pure and quick, as a classifier; it only ever takes trust away."""

INJECTION = "prompt_injection"
"""The signal of a result in which an attack stands; EvalView's check of that name."""

UNKNOWN = Label(Confidentiality.RESTRICTED, trusted=False)
"""What stands when nobody answers."""

_PAIR_OF_DIGITS = re.compile(r"\d[ .-]?\d", re.ASCII)


def strictest(one: Label, other: Label) -> Label:
    """The more confidential and the less trusted of both."""
    return Label(max(one.confidentiality, other.confidentiality), one.trusted and other.trusted)


def declared(schema: ToolSchema | None) -> Label:
    """What a tool's output counts as before anyone has looked at it."""
    return UNKNOWN if schema is None or schema.output is None else schema.output


def label_of(
    result: Any,
    texts: Iterable[str],
    *,
    complete: bool,
    schema: ToolSchema | None,
    classifiers: Iterable[Classifier],
) -> Label:
    """The strictest of the declaration and every classifier that answers; nobody answers: `UNKNOWN`.

    Personal identifiers among `texts` raise the label to CONFIDENTIAL at least; so does text that was too long to be
    searched (`complete` is False). Detectors never lower a label: not finding anything is no answer.
    """
    label = None if schema is None else schema.output
    for classify in classifiers:
        answer = classify(result)
        if answer is not None:
            label = answer if label is None else strictest(label, answer)
    if label is None:
        return UNKNOWN
    if label.confidentiality < Confidentiality.CONFIDENTIAL and (not complete or any(map(is_personal, texts))):
        return Label(Confidentiality.CONFIDENTIAL, label.trusted)
    return label


def is_personal(text: str) -> bool:
    """Does the text hold a US social security number, a payment card number or an IBAN?"""
    return _PAIR_OF_DIGITS.search(text) is not None and any(
        next(find(text), None) is not None for find in (find_ssn, find_card, find_iban)
    )
