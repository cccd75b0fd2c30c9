"""What a check found, as the session holds it from then on: names, and what they say of its data."""

from collections.abc import Iterable, Sequence

from mutx.contract.guardrails import GuardrailCheck, GuardrailDirection, GuardrailFindings, GuardrailReaction
from mutx.governance.noting import MAX_SIGNALS
from mutx.governance.types import Confidentiality, Label, SessionNote
from mutx.services.evalview.service import UNAVAILABLE

SUSPICIOUS = frozenset({"prompt_injection", "llm_judge", "encoding"})
"""Whoever wrote such a text is not to be trusted: from then on the session holds untrusted data."""
PERSONAL = "pii_detection"


def note_of(direction: str, checks: Sequence[GuardrailCheck], *, refused: bool) -> SessionNote | None:
    """None where every check passed."""
    failed = [check for check in checks if not check.passed and _looked(check)]
    if not failed:
        return None
    kept = any(check.name == PERSONAL and _stays(direction, check) for check in failed)
    return _note(direction, _names(failed), refused=refused, personal=kept)


def note_from(report: GuardrailFindings) -> SessionNote:
    """Of what the agent's own process says: it holds what it found."""
    personal = any(name.partition(":")[0] == PERSONAL for name in report.signals)
    return _note(report.direction.value, report.signals, refused=report.refused, personal=personal)


def _note(direction: str, names: Iterable[str], *, refused: bool, personal: bool) -> SessionNote:
    signals = tuple(dict.fromkeys(names))[:MAX_SIGNALS]
    suspicious = any(name.partition(":")[0] in SUSPICIOUS for name in signals)
    level = Confidentiality.CONFIDENTIAL if personal else Confidentiality.PUBLIC
    return SessionNote(
        signals=signals,
        holds=Label(level, trusted=not suspicious) if personal or suspicious else None,
        refused=refused,
        reason=f"guardrails found in {direction.replace('_', ' ')}: {', '.join(signals)}",
    )


def _looked(check: GuardrailCheck) -> bool:
    """Whether it found anything: that nobody could look says nothing of the text."""
    return not check.findings or any(found.kind != UNAVAILABLE for found in check.findings)


def _stays(direction: str, check: GuardrailCheck) -> bool:
    """Whether the agent holds the personal data: it said them itself, or they were passed on to it."""
    return direction == GuardrailDirection.OUTPUT or check.reaction is GuardrailReaction.FLAG


def _names(failed: Iterable[GuardrailCheck]) -> Iterable[str]:
    """Each check; of personal data and of toxic text also each kind."""
    for check in failed:
        yield check.name
        if check.name in (PERSONAL, "toxic_content"):
            kinds = {found.kind for found in check.findings} - {UNAVAILABLE}
            yield from sorted(f"{check.name}:{kind.lower()}"[:64] for kind in kinds)
