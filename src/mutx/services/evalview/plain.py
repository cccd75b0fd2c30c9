"""Text without disguise: invisible characters, look-alike letters and encoded layers are taken off before anything judges it."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from msgspec import Struct

from mutx.services.evalview.lexicon import class_of

MAX_LAYERS = 3
"""Encodings within encodings."""
MAX_DECODED = 64 * 1024
"""Characters of decoded text that are judged beside a text."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff]"
)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HARMLESS = frozenset("\u00ad\ufe0e\ufe0f\u200e\u200f\ufeff")
"""Occur in ordinary text and emoji: removed, not counted."""
_JOINERS = frozenset("\u200c\u200d")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0432\u043a\u043c\u043d\u0442\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03b5\u03b9\u03ba\u03bd\u03c1\u03c4\u03c5\u03c7\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0261\u0251\u217c\u0269",
    "aeopcyxijshdqwbkmhtABEKMHOPCTXIJSoaeiKvptuxABEZHIKMNOPTYXgali",
)
_MIXED = re.compile(r"[^\W\d_]*[A-Za-z][^\W\d_]*")
_WORD = re.compile(r"[^\W\d_]+")
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_=-])(?:[A-Za-z0-9+/_-]{4}){4,}(?:[A-Za-z0-9+/_-]{2,3}={0,2})?(?![A-Za-z0-9+/_=-])"
)
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :]?){12,}(?![0-9A-Fa-f])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#x?[0-9A-Fa-f]{2,6};)")
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-_*]){5,}[^\W\d_](?![^\W_])")
_TURNED = re.compile(r"\b(?:vtaber|sbetrg|qvfertneq|cerivbhf|vafgehpgvba\w*|cnffjbeq|flfgrz|cebzcg|erirny)\b", re.I)
_REVERSED = re.compile(r"\b(?:erongi|tegrof|dragersid|suoiverp|snoitcurtsni|drowssap|metsys|tpmorp|laever)\b", re.I)
_LEET = str.maketrans("013457@$", "oieastas")
_LEETED = re.compile(r"(?<![\w@$.])(?=[A-Za-z]*[013457@$])[A-Za-z013457@$]{4,24}(?![\w@$])")


class PlainText(Struct, frozen=True):
    """What a text says once nothing is hidden."""

    text: str
    """NFKC, without invisible and control characters, look-alike letters of mixed words replaced."""
    layers: tuple[str, ...] = ()
    """What was encoded in it, outermost first."""
    hidden: int = 0
    """Invisible characters that ordinary text has no use for."""
    lookalikes: int = 0
    """Words that mixed alphabets."""
    bidi: bool = False


def plain(text: str) -> PlainText:
    """Take the disguise off `text`. Linear in its length."""
    cleaned, hidden, smuggled, mixed = _clean(text)
    layers = list(smuggled)
    frontier = [cleaned, *smuggled]
    room = MAX_DECODED
    for _ in range(MAX_LAYERS):
        deeper: list[str] = []
        for piece in frontier:
            for decoded in _decoded(piece):
                if room > 0:
                    deeper.append(_clean(decoded[:room])[0])
                    room -= len(decoded)
        layers += deeper
        frontier = deeper
        if not frontier:
            break
    return PlainText(cleaned, tuple(layers), hidden, mixed, _BIDI.search(text) is not None)


def _clean(text: str) -> tuple[str, int, list[str], int]:
    if text.isascii():
        return _CONTROL.sub("", text), 0, [], 0
    smuggled = ["".join(chr(ord(sign) - 0xE0000) for sign in run[0]) for run in _TAGS.finditer(text)]
    hidden = sum(1 for match in _INVISIBLE.finditer(text) if _suspect(text, match.start()))
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    mixed = 0

    def latin(match: re.Match[str]) -> str:
        nonlocal mixed
        word = match[0]
        if word.isascii():
            return word
        replaced = word.translate(_LOOKALIKES)
        if replaced != word and replaced.isascii():
            mixed += 1
            return replaced
        return word

    text = _MIXED.sub(latin, text) if not text.isascii() else text
    return _CONTROL.sub("", text), hidden, [run for run in smuggled if len(run) > 3], mixed


def _suspect(text: str, at: int) -> bool:
    """Scripts with joining letters and emoji need joiners; between Latin letters they only hide something."""
    sign = text[at]
    if sign in _HARMLESS:
        return False
    if sign in _JOINERS or sign == "\u200b":
        around = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
        return any(letter.isascii() and letter.isalnum() for letter in around)
    return True


def _decoded(text: str) -> Iterator[str]:
    for found in (*_encoded_runs(text), *_rewritten(text)):
        if found != text and _readable(found):
            yield found


def _encoded_runs(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        run = match[0].replace("-", "+").replace("_", "/").rstrip("=")
        if run.isalpha() and (run.islower() or run.isupper()):
            continue
        try:
            yield base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEX.finditer(text):
        try:
            yield bytes.fromhex(re.sub("[ :]", "", match[0])).decode()
        except (ValueError, UnicodeDecodeError):
            continue


def _rewritten(text: str) -> Iterator[str]:
    if len(_PERCENT.findall(text)) >= 3:
        loose = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
        yield html.unescape(unquote(loose, errors="ignore"))
    if len(_TURNED.findall(text)) >= 2:
        yield codecs.decode(text, "rot13")
    if len(_REVERSED.findall(text)) >= 2:
        yield text[::-1]
    spaced = [re.sub(r"[ .\-_*]", "", run[0]) for run in _SPACED.finditer(text)]
    if spaced:
        yield " ".join(spaced)
    leeted = [match[0].lower().translate(_LEET) for match in _LEETED.finditer(text) if len(match[0]) <= 24]
    if sum(1 for word in leeted if class_of(word)) >= 2:
        yield _LEETED.sub(lambda match: match[0].translate(_LEET), text)


def _readable(text: str) -> bool:
    """Decoded text rather than decoded noise."""
    if len(text) < 8:
        return False
    good = sum(1 for sign in text if sign.isalnum() or sign in " \n\t.,:;!?'\"-_/()[]{}<>@#=&")
    return good >= 0.9 * len(text) and any(len(word) > 2 for word in _WORD.findall(text))
