"""JSON as RFC 8259 means it, and no more: what two parsers could read in two ways is refused.

Refused: NaN and infinities, duplicate keys, lone surrogates, bytes that are not UTF-8, nesting over 64.
"""

import json
from collections import Counter
from typing import Any

import orjson

from mutx.kit.errors import MalformedBody

MAX_DEPTH = 64


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises MalformedBody that says what is wrong and where."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_deep(value)
    if body.count(b":") != orjson.dumps(value).count(b":") or b"\\u003" in body:
        _refuse_duplicates(body)
    return value


def _refuse_deep(value: Any) -> None:
    """Level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise MalformedBody(f"the body is nested deeper than {MAX_DEPTH}; flatten it")


def _children(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _refuse_duplicates(body: bytes) -> None:
    """The slow, exact way; `parse` comes here only when its count of colons says that a member went missing.

    Every member has a colon and every other colon stands in a string that the value still holds, so writing the
    value again gives as many colons, unless a member was dropped. An escaped colon would spoil the count: also slow.
    """
    json.loads(body, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        again = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise MalformedBody(f"the key {again[:64]!r} stands twice in one object; send it once")
    return value
