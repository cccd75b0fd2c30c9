"""Texts from templates: deterministic for a seed."""

import random
import re
from collections.abc import Iterator, Mapping

from tools.guardrail_texts.slots import SLOTS

MOST_STEPS = 400


def expand(template: str, rng: random.Random) -> str:
    """One text. `{a|b}` is a choice, `{name}` a slot."""
    text = template
    for _ in range(MOST_STEPS):
        match = _outermost(text)
        if match is None:
            break
        start, stop = match
        inner = text[start + 1 : stop - 1]
        chosen = rng.choice(SLOTS[inner] if inner in SLOTS else _parts(inner))
        text = text[:start] + chosen + text[stop:]
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _outermost(text: str) -> tuple[int, int] | None:
    depth, start = 0, -1
    for at, sign in enumerate(text):
        if sign == "{":
            if not depth:
                start = at
            depth += 1
        elif sign == "}" and depth:
            depth -= 1
            if not depth:
                return start, at + 1
    return None


def _parts(inner: str) -> list[str]:
    found, depth, at = [], 0, 0
    for place, sign in enumerate(inner):
        depth += (sign == "{") - (sign == "}")
        if sign == "|" and not depth:
            found.append(inner[at:place])
            at = place + 1
    return [*found, inner[at:]]


def texts_of(families: Mapping[str, tuple[str, ...]], each: int, seed: int) -> Iterator[tuple[str, str]]:
    """`each` different texts of each family, as family and text."""
    for name, templates in families.items():
        rng = random.Random(f"{seed} {name}")  # noqa: S311 - the same texts in every run
        seen: set[str] = set()
        for at in range(each * 3):
            if len(seen) >= each:
                break
            text = expand(templates[at % len(templates)], rng)
            if text not in seen:
                seen.add(text)
                yield name, text
