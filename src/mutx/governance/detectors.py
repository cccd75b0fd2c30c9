"""Find personal numbers in text: linear time, with the checks that tell a number from a look-alike.

Each detector gives the spans that it is sure of. Separators may be spaces, dots or hyphens between groups.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

Span = tuple[int, int]

# Every pattern is anchored at a non-word boundary and has bounded repeats only: no backtracking to speak of.
# Letters of other scripts may touch a number: only ASCII letters and digits make it part of a longer word.
_SSN = re.compile(r"(?<![A-Za-z0-9_-])(\d{3})([- .]?)(\d{2})\2(\d{4})(?![A-Za-z0-9_-])")
SSN_WORDS = re.compile(r"(?:\bssn|social[ -]security|\bsocial\b|\bss ?(?:#|no|num))\W{0,4}[^\d\n]{0,40}\Z", re.I)
"""What announces a number that has not the form of one."""
_OTHER_WORDS = re.compile(
    r"(?:\b(?:order|invoice|ticket|ref\w*|case|account|acct|serial|sku|isbn|ean|version|build|commit|\w?id|policy|licen[sc]e|passport|"
    r"routing|tracking|batch|lot|seed|port|row|page|error|code|bytes?|size|offset|part|model|article|epoch|timestamp|time|ts|total|"
    r"amount|count|population|phone|tel|mobile|fax|tax|member\w*|customer|booking|transaction|session|number)\b"
    r"(?:\W{0,3}(?:number|num|no|nr|id|code|is|was|of|#)\b){0,2}\W{0,4}|[$€£+=#/.])\Z",
    re.IGNORECASE,
)
"""What makes nine digits in a row another number."""
_CARD = re.compile(r"(?<![A-Za-z0-9_.+-])\d(?:[ -]?\d){12,18}(?![A-Za-z0-9_]|[.,]\d)")
CARD_BEGINNINGS: Mapping[int, re.Pattern[str]] = MappingProxyType(
    {
        12: re.compile(r"5[06-9]|6"),
        13: re.compile(r"4|5[06-9]|6"),
        14: re.compile(r"3[0689]|5[06-9]|6"),
        15: re.compile(r"3[47]|1800|2131|5[06-9]|6"),
        16: re.compile(r"[3-6]|2[2-7]|1800|2131|81|9[27]"),
        17: re.compile(r"5[06-9]|6"),
        18: re.compile(r"5[06-9]|6"),
        19: re.compile(r"4|5[06-9]|6"),
    }
)
"""Digits of a card -> how they begin (ISO/IEC 7812 ranges in use)."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
EMAIL = (
    r"(?<![A-Za-z0-9.+%_-])[A-Za-z0-9_\u00c0-\u052f][A-Za-z0-9_.+%'\u00c0-\u052f-]{0,63}@"
    r"(?:[A-Za-z0-9\u00c0-\u052f](?:[A-Za-z0-9\u00c0-\u052f-]{0,61}[A-Za-z0-9\u00c0-\u052f])?\.){1,8}"
    r"(?!(?:png|jpe?g|gif|svg|webp|css|js|json)\b)[A-Za-z\u00c0-\u052f]{2,24}(?![A-Za-z0-9-])"
)
"""Latin, Greek and Cyrillic letters make an address; those of other scripts may touch it. `icon@2x.png` is a file."""
_EMAIL = re.compile(EMAIL)
_IBAN_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "FK", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL", "OM", "SO"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG", "LY"), 24),
    **dict.fromkeys(("PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("DJ", "FR", "GR", "IT", "MC", "MR", "SM", "BI"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
"""Country -> characters of its IBANs (ISO 13616 registry)."""


def find_ssn(text: str) -> Iterator[Span]:
    """US social security numbers: area not 000, 666 or 9xx; group not 00; serial not 0000.

    Nine digits in a row are none where the text calls them an order, an account, a version or the like.
    """
    for match in _SSN.finditer(text):
        area, _, group, serial = match.groups()
        if area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000":
            continue
        before = text[max(0, match.start() - 64) : match.start()]
        if match[2] or SSN_WORDS.search(before) or not _OTHER_WORDS.search(before[-32:]):
            yield match.span()


def find_card(text: str) -> Iterator[Span]:
    """Payment card numbers: 13 to 19 digits in a range in use, with a correct Luhn digit, and no part of an IBAN."""
    accounts = list(find_iban(text))
    for match in _CARD.finditer(text):
        while accounts and accounts[0][1] <= match.start():
            accounts.pop(0)
        if accounts and accounts[0][0] < match.end():
            continue
        digits = [int(sign) for sign in match[0] if sign.isdecimal()]
        begins = CARD_BEGINNINGS.get(len(digits))
        if begins and begins.match("".join(map(str, digits))) and len(set(digits)) > 1 and luhn(digits):
            yield match.span()


def find_iban(text: str) -> Iterator[Span]:
    """International bank account numbers: a remainder of 1 modulo 97 over the country's length; where the registry
    has no such country, over the number as it stands, if most of it are digits."""
    at = 0
    while match := _IBAN.search(text, at):
        found = match.start(), match.start() + _iban_in(match[0])
        if found[1] > found[0]:
            yield found
        at = max(found[1], match.start() + 1)  # what was none may have taken in the beginning of one


def _iban_in(text: str) -> int:
    """How many characters of it are an account number; 0 if it begins with none."""
    length = _IBAN_LENGTHS.get(text[:2].upper())
    end = _end_of(text, length) if length else len(text)
    number = re.sub(r"[ -]", "", text[:end])
    if not length and sum(sign.isdecimal() for sign in number) * 2 < len(number):
        return 0
    return end if end and mod97(number) == 1 else 0


def find_email(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield match.span()


def luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def mod97(iban: str) -> int:
    """ISO 7064 MOD 97-10 of an IBAN without separators."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97


def _end_of(text: str, length: int) -> int:
    """Where the first `length` letters and digits end; 0 if there are fewer, or the group goes on."""
    seen = 0
    for at, sign in enumerate(text):
        seen += sign.isalnum()
        if seen == length:
            return at + 1 if not text[at + 1 : at + 2].isalnum() else 0
    return 0


DETECTORS: Mapping[str, Callable[[str], Iterator[Span]]] = {
    "ssn": find_ssn,
    "card": find_card,
    "iban": find_iban,
    "email": find_email,
}
