"""Does the request say a date, a time or a number that a call holds in another form: `3 May` for `2027-05-03T00:00`?"""

import re

from mutx.governance.requested import MAX_READ

_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_HALF_DAY = re.compile(r"\b(\d{1,2})(?:[:.]\d\d)?\s?p\.?m\b", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]{{0,6}}\b")
_NAMED = ("zero one two three four five six seven eight nine ten eleven twelve").split()
_NUMBER_NAME = re.compile(rf"\b({'|'.join(_NAMED)})\b")
_SHAPE = re.compile(r"[\d:.T/Z+-]{1,40}", re.ASCII)
_YEAR = 4
_AFTERNOON = 12


def says_number(request: str, value: str) -> bool:
    """All its parts, but for the year and what is zero; of a value that is nothing but numbers."""
    if not _SHAPE.fullmatch(value):
        return False
    parts = _DIGITS.findall(value)
    dated = len(parts) > 1
    wanted = {int(part) for part in parts if not (dated and len(part) == _YEAR)} - {0}
    return bool(wanted) and wanted <= _numbers(request[:MAX_READ].casefold())


def _numbers(request: str) -> set[int]:
    found = {int(digits) for digits in _DIGITS.findall(request)}
    found |= {_MONTHS.index(match[1]) + 1 for match in _MONTH.finditer(request)}
    found |= {_NAMED.index(match[1]) for match in _NUMBER_NAME.finditer(request)}
    return found | {int(match[1]) % _AFTERNOON + _AFTERNOON for match in _HALF_DAY.finditer(request)}
