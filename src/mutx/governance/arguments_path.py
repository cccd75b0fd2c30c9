"""Dotted paths into tool arguments: `to`, `mail.to`, `items.0.url`, `items.url` (of every item)."""

from typing import Any


def values_at(value: Any, path: str) -> list[Any]:
    """Every value the path names; a list is entered by index or, by any other name, item by item."""
    found = [value]
    for step in path.split("."):
        found = [inner for outer in found for inner in _enter(outer, step)]
    return found


def _enter(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step.isascii() and step.isdigit():
        return value[int(step) : int(step) + 1] if len(step) < 10 else []
    return [inner for item in value if isinstance(item, dict) for inner in _enter(item, step)]
