"""Takes secrets out of what is about to be written to a log, whatever shape they come in.

By name: the value of a field called `password`, `token`, `authorization` and the like, at any depth, also where the fields
stand in a text as JSON, as a query string or as headers. By look: credentials of ours, bearer tokens, keys of known
makers, PEM blocks, password hashes, passwords in URLs. Also within percent-encoding and base64.

All patterns run on RE2 and every text is looked at a fixed number of times, so the cost is linear in its length, which is
bounded. When in doubt something harmless is hidden; nothing is relied on that redaction did not see, so other objects become
their redacted text.
"""

import binascii
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import re2

HIDDEN = "[redacted]"
MAX_TEXT = 32_768
"""Characters of one text; what is beyond is cut off."""
MAX_DEPTH = 8
MAX_ITEMS = 200

_NAMES = (
    r"pass(?:word|wd|phrase)|secret|token|authorization|api[_-]?key|cookie|private|credential|session[_-]?key|signature"
    r"|access[_-]?key|encryption[_-]?key|signing[_-]?key|dsn|x-api-key"
)
_HARMLESS = r"(?:max|input|output|total|cache[a-z_]*)_tokens|token_type|tokens|token_count"

SECRET_NAME = re2.compile(rf"(?i){_NAMES}")
HARMLESS_NAME = re2.compile(rf"(?i)^(?:{_HARMLESS})$")

_FIELD = re2.compile(
    # name, closing quote (also escaped), separator, opening quote; then the value up to its end
    rf"(?i)([\w-]*(?:{_NAMES})[\w-]*\\*[\"']?\s*(?:[:=]|=>)\s*(?:(?:bearer|basic|digest|token)\s+)?)"
    r"(\\*\"(?:[^\"\\]|\\[^\"])*\\*\"|\\*'[^']*'|(?:\[redacted\]|[^\s,;&\"'}\])<>\\])[^\s,;&\"'}\])<>\\]*)"
)
_COOKIES = re2.compile(r"(?i)((?:set-)?cookie\s*[:=]\s*)[^\r\n\"']+")
_PEM = re2.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)")
_URL = re2.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,31}://[^\s:/@\"']{0,256}:)[^\s@\"']+@")
_PARAMETERS = re2.compile(r"(?s)\[parameters: .*?\](?:\n|\z)")
_LOOKS = re2.compile(
    r"mutx_(?:live|agent|refresh|reset|verify|invite)_[\w-]{4,}"
    r"|mutx_[a-z]{2,16}_[\w-]{24,}"
    r"|eyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){1,3}"
    r"|(?i:bearer|basic|digest)\s+[\w.~+/=-]{8,}"
    r"|whsec_[\w+/=-]{8,}"
    r"|\$(?:argon2(?:id|i|d)|2[abxy])\$[\w$./,=+-]{8,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_\w{20,}"
    r"|\bgithub_pat_\w{20,}"
    r"|\bxox[abeoprs]-[\w-]{10,}"
    r"|\b(?:sk|rk|pk)[-_][\w-]{16,}"
    r"|\bAIza[\w-]{30,}"
    r"|\bnpm_\w{30,}"
    r"|\bglpat-[\w-]{16,}"
)
_BASE64 = re2.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")


def redact(value: Any, depth: int = 0) -> Any:
    """A copy of `value` made of JSON's types, without secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray):
        return redact_text(bytes(value[:MAX_TEXT]).decode("utf-8", "replace"))
    if depth >= MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {redact_text(str(name)): _named(str(name), inner, depth) for name, inner in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner, depth + 1) for inner in list(value)[:MAX_ITEMS]]
    return redact_text(str(value) if isinstance(value, BaseException) else repr(value))


def _named(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return redact(value, depth + 1)
    return HIDDEN


def is_secret_name(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not HARMLESS_NAME.search(name)


def redact_text(text: str) -> str:
    """The text with everything hidden that is a secret by its look or by the name before it."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "[cut off]"
    text = _plain(text.encode("utf-8", "replace").decode())
    if "%" in text and (decoded := unquote(text)) != text and _plain(decoded) != decoded:
        text = _plain(decoded)
    return str(_BASE64.sub(_encoded, text))


def _plain(text: str) -> str:
    text = _PEM.sub(HIDDEN, text)
    text = _PARAMETERS.sub("[parameters: [redacted]]\n", text)
    text = _URL.sub(rf"\1{HIDDEN}@", text)
    text = _LOOKS.sub(HIDDEN, text)
    text = _COOKIES.sub(rf"\1{HIDDEN}", text)
    return str(_FIELD.sub(_field, text))


def _field(found: Any) -> str:
    name = found.group(1).split("=")[0].split(":")[0].strip("\"'\\ ")
    return str(found.group(0)) if HARMLESS_NAME.search(name) else f"{found.group(1)}{HIDDEN}"


def _encoded(found: Any) -> str:
    """A run that may be base64: hidden if what it says holds a secret."""
    run: str = found.group(0)
    whole = run.rstrip("=")
    padded = whole[: len(whole) - (len(whole) % 4 == 1)]
    padded += "=" * (-len(padded) % 4)
    try:
        said = (urlsafe_b64decode if "-" in run or "_" in run else b64decode)(padded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return run
    return HIDDEN if _plain(said) != said else run
