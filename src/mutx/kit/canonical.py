"""One byte form for every value that is hashed or signed: RFC 8785 (JSON Canonicalization Scheme).

orjson writes the same bytes as RFC 8785 for nearly every value, an order of magnitude faster than the `rfc8785`
library. So it writes first, and its bytes are taken only where that is certain; all else is left to the library:

- an integer beyond 2**53 - 1, a key that is no plain string, a lone surrogate or a foreign type: orjson refuses;
- NaN, infinity, a UUID or an enum: orjson writes something, but what it wrote reads back as another value;
- a float: taken where Python's shortest form has neither an exponent nor a fraction of zero, which is what both write;
- keys beyond the basic plane sort differently in UTF-8 and UTF-16: bytes with a four-byte character are not taken.
"""

import hashlib
import re
from typing import Any

import msgspec
import orjson
import rfc8785

from mutx.kit.errors import InputError

MAX_DEPTH = 254
"""Containers inside one another; the fast encoder's own bound, held by the slow path as well."""

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_FOUR_BYTE_CHARACTER = re.compile(rb"[\xf0-\xf4]")


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value. Raises InputError for what JSON cannot hold."""
    try:
        data = orjson.dumps(value, option=_OPTIONS)
        if _keys_in_order(data) and _READ_BACK(data) == value:
            return data
    except (TypeError, RecursionError):
        # not for orjson: the library knows whether it is JSON
        pass
    return _by_the_library(value)


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 lower-case hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _keys_in_order(data: bytes) -> bool:
    return data.isascii() or _FOUR_BYTE_CHARACTER.search(data) is None


def _plain_float(token: str) -> float | None:
    """The float, if RFC 8785 writes it as it stands; else None, which equals no float."""
    number = float(token)
    return number if repr(number) == token and "e" not in token and not token.endswith(".0") else None


_READ_BACK = msgspec.json.Decoder(float_hook=_plain_float).decode


def _by_the_library(value: Any) -> bytes:
    _check_depth(value, MAX_DEPTH)
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError as error:
        raise InputError("an integer beyond 2**53 - 1 is not exact in JSON; send it as a string") from error
    except rfc8785.FloatDomainError as error:
        raise InputError("JSON has no NaN and no infinity; send null or a string") from error
    except ValueError as error:
        raise InputError("this is no JSON value; use null, booleans, numbers, text, lists and objects") from error


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, (dict, list, tuple)):
        if left == 0:
            raise InputError(f"nested deeper than {MAX_DEPTH}; flatten the value")
        for child in value.values() if isinstance(value, dict) else value:
            _check_depth(child, left - 1)
