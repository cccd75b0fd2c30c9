"""Values within texts, in the form in which two mentions of one value are equal.

Both sides use this one reading: what outputs and the request mention, and what an argument holds. A text is read as
links, mail addresses, paths, account and phone numbers written in groups, amounts, ids and words, after NFKC and
casefolding. Every pattern is linear: it starts at a boundary, repeats possessively, or has a bounded length.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from string import punctuation
from typing import NamedTuple

from mutx.governance.detectors import find_iban

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
"""Scripts that put no spaces between words: runs of them are read as pairs of characters."""
_GAP = re.compile(r"[\s\"'<>()\[\]{},;|`“”‘’«»]+")
_NAME = re.compile(
    r"""
      (?P<url>   (?<![a-z0-9+.-]) [a-z][a-z0-9+.-]{1,15}+ :// [^\\^]++ )
    | (?P<email> (?<![\w.+%-]) [\w.+%-]{1,64}+ @ [\w-]++ (?:\.[\w-]++)++ )
    | (?P<path>  (?<![\w.~/\\-]) (?:[a-z]:)? [\w.~-]*+ (?:[/\\][\w.@%+~-]++)++ )
    | (?P<word>  \w++ (?:[-.]\w++)*+ )
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\w++(?:[-.]\w++)*+")
_AFTER_HOST = re.compile(r"[/?#]")
_AMOUNT = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d+)(?![\w,])", re.ASCII)
_PHONE = re.compile(r"(?<![\w.-])(?!\d{4}-\d\d-\d\d)\+?\(?\d(?:[ ().-]{0,2}\d){6,18}(?!\w)", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DATES = (
    re.compile(rf"(?<!\w)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?(?: of)? {_MONTH},? (?P<year>\d{{4}})(?!\w)", re.ASCII),
    re.compile(rf"(?<!\w){_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})(?!\w)", re.ASCII),
    re.compile(r"(?<![\w.])(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})(?![\w])", re.ASCII),
)
"""Dates as people write them."""
_YEAR = re.compile(r"(?<![\d-])[12]\d{3}(?![\d-])", re.ASCII)
_DATED = 10
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)t\d", re.ASCII)
_QUOTED = re.compile(r"[\"'“‘«]([^\"'“”‘’«»\n]{2,80})[\"'”’»]")
_DIGIT = re.compile(r"\d", re.ASCII)
_DECIMAL = re.compile(r"(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_EDGES = punctuation + "“”‘’«»…–—€£¥ \t\r\n"
_STOP_WORDS = frozenset(
    "the and for with from that this are was were will would can could should has have had not you your our their its "
    "his her all any but out into about over than then them they what when where which who how please via per".split()
)


class Mention(NamedTuple):
    """One value mentioned in a text."""

    text: str
    strong: bool
    """Names one particular thing (an address, a link, a path, an id), as a word or a small number does not."""
    also: tuple[str, ...] = ()
    """Values that are mentioned along with it: the domain of a mail address."""
    parts: tuple[str, ...] = ()
    """What it is put together from: stands in for a link or path that was never mentioned as a whole."""


def fold(text: str) -> str:
    """NFKC, casefolded, spaces collapsed, punctuation trimmed; a number in its plainest form."""
    return _plain(" ".join(_same_form(text).split()).strip(_EDGES))


def phrase(text: str) -> str:
    """The words of a text between single spaces, for finding several words that stand side by side in another."""
    return f" {' '.join(_WORD.findall(_same_form(text)))} "


def number(value: float) -> str:
    """50, 50.0, -50 and "50" are one value: the sign tells what is done with an amount, not which one it is."""
    return _plain(format(Decimal(repr(abs(value))), "f"))


def tokens(text: str) -> Iterator[Mention]:
    """The values a text mentions. Words that carry no meaning of their own are left out."""
    text = _same_form(text)
    for chunk in _GAP.split(text):
        if _UNSPACED.match(chunk):
            yield from (Mention(chunk[at : at + 2], False) for at in range(max(1, len(chunk) - 1)))
        elif chunk.isalpha():
            if len(chunk) > 1 and chunk not in _STOP_WORDS:
                yield Mention(chunk, False)
        elif "@" in chunk or "/" in chunk or "\\" in chunk:
            yield from filter(None, (_named(str(match.lastgroup), match.group()) for match in _NAME.finditer(chunk)))
        else:
            yield from filter(None, map(_word, _WORD.findall(chunk)))
    if _DIGIT.search(text):
        yield from _grouped(text)


def quoted(text: str) -> Iterator[str]:
    """What stands in quotation marks, folded."""
    for match in _QUOTED.finditer(text):
        yield fold(match.group(1))


def _same_form(text: str) -> str:
    if text.isascii():
        return text.casefold()
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _UNSPACED.sub(r" \g<0> ", visible.casefold())


def _named(kind: str, raw: str) -> Mention | None:
    match kind:
        case "url":
            return _link(raw.rstrip(".:!?*"))
        case "email":
            address = raw.rstrip("-")
            return Mention(address, True, also=(address.rpartition("@")[2],))
        case "path":
            path = raw.rstrip(".")
            return Mention(path, True, parts=tuple(filter(None, map(fold, re.split(r"[/\\]", path)))))
        case _:
            return _word(raw)


def _word(raw: str) -> Mention | None:
    word = raw.strip("_")
    plain = _plain(word)
    if _DECIMAL.fullmatch(plain):
        return Mention(plain, len(plain) >= 8)
    if len(word) < 2 or word in _STOP_WORDS:
        return None
    if len(word) > _DATED and (instant := _INSTANT.match(word)) is not None:
        return Mention(word, True, parts=(instant[1],))
    return Mention(word, len(word) > 3 and any(char.isdigit() or char in "._" for char in word))


def _link(url: str) -> Mention:
    """The host without user and port, and the words behind it, stand in for the whole."""
    authority, *rest = _AFTER_HOST.split(url.partition("://")[2], maxsplit=1)
    host = authority.rpartition("@")[2].partition(":")[0]
    words = filter(None, map(_word, _WORD.findall(" ".join(rest))))
    return Mention(url, True, parts=(host, *(word.text for word in words)))


def _grouped(text: str) -> Iterator[Mention]:
    """Amounts with thousands separators; account and phone numbers written in groups, without their separators."""
    for match in _AMOUNT.finditer(text):
        yield Mention(_plain(match.group()), False)
    for start, end in find_iban(text):
        yield Mention("".join(filter(str.isalnum, text[start:end])), True)
    for pattern in _DATES if _YEAR.search(text) else ():
        yield from (Mention(_iso(match.groupdict()), True) for match in pattern.finditer(text))
    for match in _PHONE.finditer(text):
        raw = match.group()
        digits = "".join(filter(str.isdigit, raw))
        if digits != raw:
            yield Mention(digits, True)


def _iso(found: dict[str, str]) -> str:
    """`3 May 2027` is 2027-05-03."""
    month = _MONTHS.index(found["month"]) + 1 if "month" in found else int(found["number"])
    return f"{found['year']}-{month:02d}-{int(found['day']):02d}"


def _plain(text: str) -> str:
    """A decimal number without thousands separators and trailing zeros; anything else as it is."""
    if not text[:1].isdigit():
        return text
    bare = text
    if "," in text:
        bare = text.replace(",", "") if text.rfind(",") < text.rfind(".") or "." not in text else _continental(text)
    if not _DECIMAL.fullmatch(bare):
        return text
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def _continental(text: str) -> str:
    """1.234,56 -> 1234.56"""
    return text.replace(".", "").replace(",", ".")
