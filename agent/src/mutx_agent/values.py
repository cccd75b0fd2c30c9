"""Python values as JSON that a policy can read and a receipt can commit to, and changed JSON back as Python values."""

import hashlib
import json
import math
import os
import reprlib
from enum import Enum
from typing import Any

DEPTH = 64
TEXT_LIMIT = 4096
"""Characters of a foreign value's `repr` that are sent; its hash always stands for the whole."""
RESULT_LIMIT = 256 * 1024
"""Bytes of a result that are sent. What is cut off counts, at the control plane, as untrusted and restricted."""
EXACT_INTEGER = 2**53 - 1
"""The largest integer that RFC 8785 can write."""


class CannotModify(Exception):
    """A policy changed an argument that has no JSON form, so the change cannot be carried out."""


def to_json(value: Any, depth: int = 0) -> Any:
    """`value` as JSON. What JSON cannot hold is described: `{"$type": ..., "$repr": ...}`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return to_json(value.value, depth)
    if isinstance(value, str):
        return str(value) if _encodable(value) else describe(value)
    if isinstance(value, int):
        return int(value) if abs(value) <= EXACT_INTEGER else describe(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else describe(value)
    if isinstance(value, os.PathLike):
        return to_json(os.fspath(value), depth)
    if depth < DEPTH and isinstance(value, list | tuple):
        return [to_json(item, depth + 1) for item in value]
    if depth < DEPTH and isinstance(value, dict) and all(isinstance(key, str) and _encodable(key) for key in value):
        return {str(key): to_json(item, depth + 1) for key, item in value.items()}
    return describe(value)


def _encodable(text: str) -> bool:
    """False for lone surrogates, which no UTF-8 and so no JSON text can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def describe(value: Any) -> dict[str, Any]:
    """A value that is not JSON: its type, and its `repr` as far as it fits."""
    kind = type(value)
    whole = _repr(value)
    described = {"$type": f"{kind.__module__}.{kind.__qualname__}", "$repr": whole[:TEXT_LIMIT]}
    if len(whole) > TEXT_LIMIT:
        described["$sha256"] = hashlib.sha256(whole.encode()).hexdigest()
    return described


def _repr(value: Any) -> str:
    """`repr`, safe against objects whose own one raises, deep structures and lone surrogates."""
    short = reprlib.Repr()
    short.maxlevel = 6
    short.maxtuple = short.maxlist = short.maxdict = short.maxset = short.maxfrozenset = 1000
    short.maxdeque = short.maxarray = 1000
    short.maxstring = short.maxlong = short.maxother = 1 << 20
    return short.repr(value).encode("utf-8", "backslashreplace").decode()


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values. Unlike Python's, it keeps `true` apart from 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def back(original: Any, sent: Any, changed: Any, path: str = "arguments") -> Any:
    """`original` with the changes that lead from `sent` (its JSON) to `changed`.

    Parts that did not change stay the very objects they were. Raises CannotModify where a change meets a value
    that is not plain JSON.
    """
    if same(sent, changed):
        return original
    if type(original) is dict and isinstance(sent, dict) and isinstance(changed, dict):
        return {
            key: back(original[key], sent[key], item, f"{path}.{key}") if key in sent else item
            for key, item in changed.items()
        }
    if type(original) in (list, tuple) and isinstance(changed, list):
        pairs = enumerate(changed)
        items = [back(original[i], sent[i], item, f"{path}[{i}]") if i < len(original) else item for i, item in pairs]
        return items if type(original) is list else tuple(items)
    if type(original) not in (str, int, float, bool, type(None), dict, list):
        kind = type(original)
        raise CannotModify(f"the policy changed {path}, a {kind.__module__}.{kind.__qualname__} that has no JSON form")
    return changed


def result_json(value: Any) -> Any:
    """A tool's result for its receipt: as JSON if it fits, else its beginning and its hash."""
    result = to_json(value)
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    if len(text) * 4 <= RESULT_LIMIT:
        return result
    data = text.encode()
    if len(data) <= RESULT_LIMIT:
        return result
    beginning = data[:RESULT_LIMIT].decode("utf-8", "ignore")
    return {"$truncated": beginning, "$bytes": len(data), "$sha256": hashlib.sha256(data).hexdigest()}
