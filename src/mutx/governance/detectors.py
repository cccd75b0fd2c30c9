"""Find personal numbers in text: linear time, with the checks that tell a number from a look-alike.

Each detector gives the spans that it is sure of. Separators may be spaces, dots or hyphens between groups.
"""

import re
from collections.abc import Callable, Iterator, Mapping

Span = tuple[int, int]

# Every pattern is anchored at a non-word boundary and has bounded repeats only: no backtracking to speak of.
_SSN = re.compile(r"(?<![\w-])(\d{3})([- .]?)(\d{2})\2(\d{4})(?![\w-])")
_CARD = re.compile(r"(?<![\w])\d(?:[ -]?\d){12,18}(?![\w])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![\w-])"
)
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
    """US social security numbers: area not 000, 666 or 9xx; group not 00; serial not 0000."""
    for match in _SSN.finditer(text):
        area, _, group, serial = match.groups()
        if area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000":
            yield match.span()


def find_card(text: str) -> Iterator[Span]:
    """Payment card numbers: 13 to 19 digits with a correct Luhn digit."""
    for match in _CARD.finditer(text):
        digits = [int(sign) for sign in match[0] if sign.isdecimal()]
        if len(set(digits)) > 1 and luhn(digits):
            yield match.span()


def find_iban(text: str) -> Iterator[Span]:
    """International bank account numbers: the country's length and a remainder of 1 modulo 97."""
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        end = _end_of(match[0], length)
        if end and mod97(re.sub(r"[ -]", "", match[0][:end])) == 1:
            yield match.start(), match.start() + end


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
        if length and seen == length:
            return at + 1 if not text[at + 1 : at + 2].isalnum() else 0
    return 0


DETECTORS: Mapping[str, Callable[[str], Iterator[Span]]] = {
    "ssn": find_ssn,
    "card": find_card,
    "iban": find_iban,
    "email": find_email,
}
