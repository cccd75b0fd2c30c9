"""Find text that speaks to the model instead of to the person: in what tools say of themselves, and in what they return.

What it finds is a reason to look, not a proof; what it does not find is no clearance. Results stay untrusted either way.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from mutx.governance.patterns import compile_pattern

MAX_SCANNED = 200_000
"""Characters of one text that are searched: an injection that works stands where the model reads first or last."""
EXCERPT = 80

_INSTRUCTIONS = {
    "overrides_instructions": (
        r"(?i)\b(ignore|disregard|forget|override)\b[^.\n]{0,40}"
        r"\b(previous|prior|above|earlier|preceding|original|system|other)\b[^.\n]{0,20}"
        r"\b(instruction|prompt|rule|message|direction|guideline|context)s?\b"
    ),
    "poses_as_system": (
        r"(?i)<\s*/?\s*(important|system|instructions?|secret|hidden|admin)\s*>"
        r"|\[/?(INST|SYSTEM)\]|<\|(im_start|im_end|system|user|assistant)\|>"
        r"|(?m)^\s*#{1,4}\s*(system|new) (prompt|instructions?|message)"
    ),
    "hides_from_the_user": (
        r"(?i)\b(do not|don't|never|without)\s+(tell|telling|mention|mentioning|inform|informing|reveal|revealing"
        r"|notify|notifying|show|showing|ask|asking|alert|alerting)\b[^.\n]{0,30}\b(user|human|person|anyone)\b"
    ),
    "asks_for_secrets": (
        r"(?i)\b(read|send|include|pass|forward|upload|attach|provide|append|leak|copy)\b[^\n]{0,80}"
        r"(~/\.|id_rsa|\.ssh\b|\.env\b|mcp\.json|\.aws\b|credentials?\b|private key|api[ _-]?keys?\b|passwords?\b"
        r"|system prompt|conversation history|chat history)"
    ),
    "directs_other_tools": (
        r"(?i)\b(before|when|whenever|after|instead of)\s+(using|calling|invoking|running)\s+"
        r"(any|every|all|other|another|the other)\b[^.\n]{0,20}\b(tool|function)s?\b"
    ),
    "gives_orders": (
        r"(?i)\b(you|the (assistant|agent|model|ai))\s+(must|should|have to|need to|are (now )?(required|instructed))\b"
        r"[^.\n]{0,20}\b(now|first|immediately|instead|next|always)\b[^.\n]{0,60}"
        r"\b(call|invoke|send|transfer|delete|execute|run|email|post|pay|upload|forward)\b"
    ),
}
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f\x1b\x08]")
"""Zero width, direction overrides, the tag block and terminal escapes: seen by models, not by people."""


class Suspicion(NamedTuple):
    """What was found: the kind, and the words."""

    kind: str
    excerpt: str

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')}: {self.excerpt!r}"


class TextScanner(Protocol):
    """Looks at one text that a tool, resource or prompt gave. Quick, and linear in the text."""

    def scan(self, text: str) -> Sequence[Suspicion]: ...


class PatternScanner:
    """Known phrasings and characters that people do not see. Linear time; patterns run on RE2."""

    def __init__(self) -> None:
        self._patterns = [(kind, compile_pattern(pattern)) for kind, pattern in _INSTRUCTIONS.items()]

    def scan(self, text: str) -> Sequence[Suspicion]:
        """At most one finding of each kind."""
        return list(self._found(_ends_of(text)))

    def _found(self, text: str) -> Iterator[Suspicion]:
        hidden = _HIDDEN.search(text)
        if hidden is not None:
            yield Suspicion("hidden_characters", f"U+{ord(hidden[0]):04X}")
            text = _HIDDEN.sub("", text)  # the words between them are read as the model reads them
        encodable = text.encode("utf-8", "replace").decode()
        for kind, pattern in self._patterns:
            match = pattern.search(encodable)
            if match is not None:
                yield Suspicion(kind, " ".join(match.group(0).split())[:EXCERPT])


def _ends_of(text: str) -> str:
    if len(text) <= MAX_SCANNED:
        return text
    return f"{text[: MAX_SCANNED // 2]}\n{text[-MAX_SCANNED // 2 :]}"
