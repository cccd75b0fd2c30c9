"""The written texts as rows to train on, beside those of the data."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from tools.guardrail_texts.attacks import ATTACKS, INDIRECT, LANGUAGES
from tools.guardrail_texts.expand import texts_of
from tools.guardrail_texts.harmless import HARMLESS

EACH = 500
EACH_LANGUAGE = 60
SEED = 1
PREFIX = "written-"
KINDS = {"mask": "jailbreak", "story": "jailbreak", "profession": "jailbreak"}
"""Families that are no direct attacks."""


def written(rows: Sequence[dict[str, Any]], each: int = EACH) -> list[dict[str, Any]]:
    """Attacks and look-alikes; indirect attacks once alone and once within a harmless document of `rows`, their `host`."""
    made = [_row(name, text, KINDS.get(name, "direct")) for name, text in texts_of(ATTACKS, each, SEED)]
    per_language = min(each, EACH_LANGUAGE)
    made += [_row(f"lang-{name}", text, "direct") for name, text in texts_of(LANGUAGES, per_language, SEED)]
    made += list(_indirect(rows, each))
    made += [_row(f"benign-{name}", text, "hard-benign") for name, text in texts_of(HARMLESS, each, SEED)]
    return made


def _row(name: str, text: str, kind: str) -> dict[str, Any]:
    label = "benign" if kind == "hard-benign" else "attack"
    return {"text": text, "label": label, "kind": kind, "source": PREFIX + name}


def _indirect(rows: Sequence[dict[str, Any]], each: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(SEED)  # noqa: S311 - the same texts in every run
    hosts = [row for row in rows if row["label"] == "benign" and 300 < len(row["text"]) < 3000]
    for name, text in texts_of(INDIRECT, each, SEED):
        yield _row(name, text, "indirect")
        if hosts:
            host = rng.choice(hosts)
            lines = host["text"].split("\n")
            at = rng.randint(0, len(lines))
            whole = "\n".join([*lines[:at], text, *lines[at:]])
            yield _row(name, whole, "indirect") | {"source": f"{PREFIX}{name}-composed", "host": host["source"]}
