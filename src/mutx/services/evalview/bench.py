"""How well the guardrail does on labelled texts: rates with intervals, by source, by kind and pooled. Nothing is tuned here."""

import math
import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from mutx.services.evalview.injection.detector import find_injection
from mutx.services.evalview.injection.model import shipped
from mutx.services.evalview.pii import PersonalData

LIMIT = 0.02
"""False positives that the target allows."""
EXAMINED = ("CREDIT_CARD", "US_SSN", "IBAN_CODE", "EMAIL_ADDRESS", "PHONE_NUMBER")
Z = 1.959963984540054
"""Of a two-sided interval of 95 %."""


class LabelledSpan(Struct, frozen=True):
    start: int
    end: int
    type: str


class LabelledText(Struct, frozen=True):
    """A row: with `label` for attacks, with `spans` for personal data."""

    text: str
    label: str | UnsetType = UNSET
    kind: str = ""
    source: str = ""
    lang: str = ""
    spans: tuple[LabelledSpan, ...] | UnsetType = UNSET


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    share = hits / total
    middle = share + Z * Z / (2 * total)
    spread = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    return max(0.0, (middle - spread) / (1 + Z * Z / total)), min(1.0, (middle + spread) / (1 + Z * Z / total))


def rate(hits: int, total: int) -> dict[str, Any]:
    low, high = wilson(hits, total)
    return {
        "rate": hits / total if total else None,
        "hits": hits,
        "of": total,
        "interval": [round(low, 4), round(high, 4)],
    }


def measure_attacks(rows: Sequence[LabelledText]) -> dict[str, Any]:
    """Judge every row that has a label with the shipped classifier at its shipped threshold."""
    scored = [(row, find_injection(row.text).score) for row in rows]
    return {
        "pooled": _rates(scored) | {"recall_at_limit": _at_limit(scored)},
        "sources": _grouped(scored, lambda row: row.source or "unnamed"),
        "kinds": _grouped(scored, lambda row: row.kind or "unnamed"),
        "languages": _grouped(scored, lambda row: row.lang or "unnamed"),
        "scores": [{"source": row.source, "label": row.label, "score": round(score, 4)} for row, score in scored],
    }


def _grouped(
    scored: Sequence[tuple[LabelledText, float]], name: Callable[[LabelledText], str]
) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[tuple[LabelledText, float]]] = defaultdict(list)
    for row, score in scored:
        groups[name(row)].append((row, score))
    return {group: _rates(found) for group, found in sorted(groups.items())}


def _rates(scored: Sequence[tuple[LabelledText, float]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for label, name in (("attack", "recall"), ("benign", "false_positive_rate")):
        scores = [score for row, score in scored if row.label == label]
        detail = rate(sum(score > 0 for score in scores), len(scores))
        found |= {name: detail.pop("rate"), f"{name}_detail": detail}
    return found


def _at_limit(scored: Sequence[tuple[LabelledText, float]]) -> dict[str, Any]:
    """What the best threshold for just these rows would reach: it describes the ranking, and promises nothing."""
    benign = sorted((score for row, score in scored if row.label == "benign"), reverse=True)
    attacks = [score for row, score in scored if row.label == "attack"]
    if not benign or not attacks:
        return {"recall": None, "threshold_shift": None}
    edge = benign[min(len(benign) - 1, int(LIMIT * len(benign)))]
    return {"recall": sum(score > edge for score in attacks) / len(attacks), "threshold_shift": round(edge, 4)}


def measure_personal(rows: Sequence[LabelledText], find: Callable[[str], Iterable[PersonalData]]) -> dict[str, Any]:
    """Recall and precision by type. A finding is right where it overlaps a labelled span of its type.

    A type that a source never labels is not counted against a finding there: its labels are not complete.
    """
    labelled: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        labelled[row.source].update(span.type for span in _spans(row))
    counts: dict[str, dict[str, int]] = {kind: {"found": 0, "missed": 0, "wrong": 0} for kind in EXAMINED}
    by_source: dict[str, dict[str, dict[str, int]]] = {}
    for row in rows:
        mine = by_source.setdefault(
            row.source or "unnamed", {kind: {"found": 0, "missed": 0, "wrong": 0} for kind in EXAMINED}
        )
        found = [one for one in find(row.text) if one.kind in counts]
        spans = [span for span in _spans(row) if span.type in counts]
        for span in spans:
            hit = any(one.kind == span.type and one.start < span.end and one.stop > span.start for one in found)
            for table in (counts, mine):
                table[span.type]["found" if hit else "missed"] += 1
        for one in found:
            right = any(one.kind == span.type and one.start < span.end and one.stop > span.start for span in spans)
            if not right and (one.kind in labelled[row.source] or not _spans(row)):
                for table in (counts, mine):
                    table[one.kind]["wrong"] += 1
    return {
        "pooled": _personal_rates(_summed(counts)),
        "types": {kind: _personal_rates(count) for kind, count in counts.items()},
        "sources": {
            source: {kind: _personal_rates(count) for kind, count in table.items() if any(count.values())}
            for source, table in sorted(by_source.items())
        },
    }


def _spans(row: LabelledText) -> tuple[LabelledSpan, ...]:
    return () if row.spans is UNSET else row.spans


def _summed(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(count[name] for count in counts.values()) for name in ("found", "missed", "wrong")}


def _personal_rates(count: Mapping[str, int]) -> dict[str, Any]:
    recall = rate(count["found"], count["found"] + count["missed"])
    precision = rate(count["found"], count["found"] + count["wrong"])
    return {
        "recall": recall.pop("rate"),
        "recall_detail": recall,
        "precision": precision.pop("rate"),
        "precision_detail": precision,
    }


def versions() -> dict[str, Any]:
    card = shipped().card
    return {"python": platform.python_version(), "model": card.name, "threshold": card.threshold}
