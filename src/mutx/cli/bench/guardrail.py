"""`mutx bench guardrail`: what was measured, as one report."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from mutx.kit.errors import InputError
from mutx.services.evalview.bench import LabelledText, measure_attacks, measure_personal, versions
from mutx.services.evalview.pii import find_personal


def measure(rows: Sequence[LabelledText], *, seed: int) -> dict[str, Any]:
    """`pooled` and `sources` of the injection check; `pii` where rows have spans. Raises InputError where none has a label."""
    labelled = [row for row in rows if row.label in ("attack", "benign")]
    personal = [row for row in rows if row.spans is not UNSET]
    if not labelled and not personal:
        raise InputError("no row has `label` attack or benign, or `spans`: there is nothing to measure")
    report: dict[str, Any] = {"rows": len(rows), "seed": seed, "versions": versions()}
    if labelled:
        report |= measure_attacks(labelled)
    if personal:
        report["pii"] = measure_personal(personal, find_personal)
    return report


def in_words(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    versions = report["versions"]
    lines = [
        f"Guardrail {versions['model']}, Python {versions['python']}, {report['rows']} rows, seed {report['seed']}",
        "",
    ]
    if "sources" in report:
        lines += ["| source | recall | false positives |", "|---|---|---|"]
        groups = {**report["sources"], "pooled": report["pooled"]}
        lines += [
            f"| {name} | {_share(found, 'recall')} | {_share(found, 'false_positive_rate')} |"
            for name, found in groups.items()
        ]
    if "pii" in report:
        lines += ["", "| personal data | recall | precision |", "|---|---|---|"]
        groups = {**report["pii"]["types"], "pooled": report["pii"]["pooled"]}
        lines += [
            f"| {name} | {_share(found, 'recall')} | {_share(found, 'precision')} |" for name, found in groups.items()
        ]
    return "\n".join(lines)


def _share(found: dict[str, Any], name: str) -> str:
    if found[name] is None:
        return "-"
    detail = found[f"{name}_detail"]
    low, high = detail["interval"]
    return f"{found[name]:.1%} ({low:.1%} to {high:.1%}, {detail['hits']} of {detail['of']})"
