"""The texts and numbers within a JSON value, up to a bound."""

from typing import Any

from mutx.governance.provenance_text import number

MAX_CHARS = 128 * 1024
MAX_LEAVES = 10_000


def read_leaves(value: Any) -> tuple[list[str], bool]:
    """Texts of the leaves in order, and whether that is all of them.

    Keys count where they are more than a field's name (`{"a@b.example": ...}`).
    """
    found: list[str] = []
    chars = 0
    stack = [value]
    while stack:
        item = stack.pop()
        match item:
            case str():
                if chars + len(item) > MAX_CHARS:
                    found.append(item[: MAX_CHARS - chars])
                    return found, False
                chars += len(item)
                found.append(item)
            case None | bool():
                continue
            case int() | float():
                found.append(number(item))
            case dict():
                for key in reversed(item):
                    stack.append(item[key])
                    if not key.isidentifier():
                        stack.append(key)
            case _:
                stack.extend(reversed(item))
        if len(found) > MAX_LEAVES or len(stack) > 10 * MAX_LEAVES:
            return found[:MAX_LEAVES], False
    return found, True
