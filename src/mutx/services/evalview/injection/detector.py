"""Is a text an attack on a language model? The classifier, over the text and over everything that was hidden in it."""

import re
from collections.abc import Sequence

from msgspec import Struct

from mutx.services.evalview.injection.model import Model, ModelScore, shipped
from mutx.services.evalview.plain import PlainText, plain

MAX_HIDDEN = 3
"""Invisible characters that may be an accident."""
MAX_RESULT = 4_000
"""Characters of a tool's result that are read while its action concludes: that happens on the event loop."""
HIDDEN_BONUS = 1.0
"""What hiding an otherwise doubtful text adds to its score: log-odds."""

FEWEST_WORDS = 8
"""Where fewer stand beside an address they are judged without it: "write to" somebody is no attack, whatever the address."""

_ADDRESS = re.compile(r"\S{1,64}@\S{1,253}")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


class Injection(Struct, frozen=True):
    """What was found. `score` above 0 is an attack."""

    score: float
    confidence: float
    """That the text is what `detected` says it is: 0.5 to 1."""
    excerpt: str
    signals: tuple[str, ...]
    layer: int = 0
    """0: in the text itself; n: in the n-th text that was encoded in it."""
    hidden: int = 0
    lookalikes: int = 0
    bidi: bool = False

    @property
    def detected(self) -> bool:
        return self.score > 0


def find_injection(text: str | PlainText, model: Model | None = None) -> Injection:
    """Judge a text; pass `plain(text)` if it is at hand."""
    seen = plain(text) if isinstance(text, str) else text
    model = model or shipped()
    verdicts: list[ModelScore] = [_judged(model, layer) for layer in (seen.text, *seen.layers)]
    layer = max(range(len(verdicts)), key=lambda at: verdicts[at].score)
    worst = verdicts[layer]
    disguised = seen.hidden > MAX_HIDDEN or seen.lookalikes > MAX_HIDDEN or seen.bidi
    score = worst.score + HIDDEN_BONUS * disguised
    probability = ModelScore(score).probability
    return Injection(
        score,
        max(probability, 1 - probability),
        worst.excerpt,
        worst.signals,
        layer,
        seen.hidden,
        seen.lookalikes,
        seen.bidi,
    )


def _judged(model: Model, text: str) -> ModelScore:
    found = model.judge(text)
    if found.score > 0 and text.isascii():
        words = _ADDRESS.sub(" ", text)
        if words != text and len(_LATIN_WORD.findall(words)) < FEWEST_WORDS:
            return model.judge(words)
    return found


def holds_attack(texts: Sequence[str]) -> bool:
    """Whether the beginning of a tool's result is an attack. Bounded: what is longer is checked with EvalView."""
    head = "\n".join(texts)[:MAX_RESULT]
    return bool(head.strip()) and find_injection(head).detected
