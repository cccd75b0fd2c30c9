"""Personal data in text: recognisers with the checks that tell a number from a look-alike.

Cards by Luhn, IBAN by its check digits, US social security numbers by their ranges, phone numbers by their length and
form, and more; `presidio.py` adds Presidio's recognisers, and names where an NER model is installed.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from mutx.governance.detectors import CARD_BEGINNINGS, EMAIL, SSN_WORDS, luhn, mod97


class PersonalData(Struct, frozen=True, order=True):
    """Personal data at `text[start:stop]`. The value itself is not kept."""

    start: int
    stop: int
    kind: str
    """As Presidio names it."""
    confidence: float = 1.0


_DASHES = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_ODD = re.compile(rf"[{_DASHES}]|(?![0-9])\d")
# Letters of other scripts may touch a number: only ASCII letters and digits make it part of a longer word.
_CARD = re.compile(
    r"(?<![A-Za-z0-9_.+-])(?:(?:\d[ \t-]?){11,18}\d|\d{4}([._\n])\d{4}\1\d{4}\1\d{4})(?![A-Za-z0-9_]|[.,]\d)"
)
_CARD_WORDS = re.compile(
    r"(?:card|visa|mastercard|amex|american express|discover|karte|carte|tarjeta|cartão|carta|kort|кар[т]\w*|卡)\D{0,24}\Z",
    re.I,
)
_GOODS_WORDS = re.compile(
    r"\b(?:ean|gtin|isbn|issn|upc|imei|order|tracking|serial|sku)\W{0,3}(?:no|number|code|id)?\W{0,4}\Z", re.I
)
"""Numbers of goods have a check digit as well."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![A-Za-z0-9_+.-])(\d{3})([-. ]?)(\d{2})\2(\d{4})(?![A-Za-z0-9_]|[-.]\d)")
_SSN_FORM = re.compile(r"\d{3}-\d\d-\d{4}")
_EMAIL = re.compile(EMAIL)
_PHONE = re.compile(
    r"(?<![A-Za-z0-9_@#/.+-])(?:(?<!\d[:,])|(?=[+(]|0\d{1,4}[ /-]|\d{3}[-.]\d{3}[-.]\d{4}))\+?\(?\+?\d(?:[ .\-/()\u2010-\u2013]{0,3}\d){6,17}(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?![A-Za-z0-9_@]|[-./:]\d|\.\d)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:19|20)?\d\d)"
    r"(?:[ T-]{1,3}\d{1,4}(?:[:.]\d\d)?)*\Z|(?:19|20)\d\d ?[-/\u2013] ?(?:19|20)\d\d\Z"
)
_PAIRS = re.compile(r"0\d(?:[ .-]\d\d){4}")
"""As the French write theirs: it may begin like a date."""
_LETTERED = re.compile(r"(?<![A-Za-z])[A-Za-z]{2}\d\d[ -]\Z")
"""What went before makes it the rest of an account number."""
_PHONE_WORDS = re.compile(
    r"(?:phone|\btel\b|mobile|\bcell|\bfax|\bcall|contact|whatsapp|\bsms\b|\btext\b|\bring\b|reach|\bdial|hotline|direct line|telefon|handy|mobil|"
    r"rufen|erreich\w+|anruf\w*|téléphone|portable|joindre|appel\w*|teléfono|móvil|celular|llam\w+|telefone|telemóvel|ligue|telefono|cellulare|chiam\w+|"
    r"telefoon|bereik\w*|\bgsm\b|тел|моб|звон|numer|zadzwo|volejte|ring\b|電話|电话|手机|携帯|전화|연락처|هاتف|फोन|điện thoại|puhelin|ara(?:yın)?\b|my number)[^\d\n]{0,32}\Z",
    re.IGNORECASE,
)
_CONTACT_WORDS = re.compile(
    r"emergency|contacts?\b|notfall|urgence|emergencia|emergência|emergenza|联系人|連絡先|連絡|contatto|kontakt", re.I
)
_IDENTIFIER_WORDS = re.compile(
    r"(?:order|invoice|ticket|\bref\w*|\bcase|account|acct|serial|\bsku|isbn|issn|\bean|\bupc|version|build|commit|\bid|policy|licen[sc]e|passport|"
    r"routing|tracking|bestell\w*|rechnung\w*|konto\w*|\bport|error|\bcode|\brow|\bpage|\bzip|postal|\bplz|\bcvv|\bpin|\bpart|model|article|"
    r"artikel|imei|\bvin|\bssn|social security|\btax\w*|hash|batch|\blot|transaction|session|\bnip|pesel|\bnhs|regon|\bbsn|\bnino|steuer\w*|member\w*|customer|"
    r"student|patient|employee|badge|claim|reservation|booking|confirmation|receipt|loan|card|timestamp|epoch|amount|total|pixel|personnummer|rodné číslo)"
    r"(?:\W{0,3}(?:number|num|no|nr|id|code|is|was|#|:|nummer|numer)){0,3}\W{0,4}\Z",
    re.IGNORECASE,
)
_IP = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_CRYPTO = re.compile(r"(?<!\w)(?:bc1[a-z0-9]{25,59}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}|0x[0-9a-fA-F]{40})(?!\w)")


def find_card(text: str) -> Iterator[PersonalData]:
    """Payment cards: a range in use, and a correct Luhn digit; without it only where the text calls it a card."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        begins = CARD_BEGINNINGS.get(len(digits))
        if begins is None or len(set(digits)) == 1 or not begins.match(digits):
            continue
        if _GOODS_WORDS.search(text[max(0, match.start() - 24) : match.start()]):
            continue
        if len(digits) == 12 and not _CARD_WORDS.search(text[max(0, match.start() - 48) : match.start()]):
            continue
        if luhn([int(sign) for sign in digits]):
            yield PersonalData(match.start(), match.end(), "CREDIT_CARD")
        elif re.fullmatch(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}", match[0]) and _CARD_WORDS.search(
            text[max(0, match.start() - 48) : match.start()]
        ):
            yield PersonalData(match.start(), match.end(), "CREDIT_CARD", 0.6)


def find_iban(text: str) -> Iterator[PersonalData]:
    """Bank account numbers: a remainder of 1 modulo 97 over what the country's length says, or over the whole number."""
    at = 0
    while match := _IBAN.search(text, at):
        written = match[0]
        ends = [end for end in _ends(written) if _is_iban(written[:end])]
        at = match.start() + 1  # what was none may have taken in the beginning of one
        if ends:
            at = match.start() + ends[0]
            yield PersonalData(match.start(), at, "IBAN_CODE")


def _ends(written: str) -> list[int]:
    """Where an IBAN may end: after each group, the longest first; words behind it are no part of it."""
    ends = [match.start() for match in re.finditer(r"[ -]", written)] + [len(written)]
    return [end for end in reversed(ends) if end >= 15]


def _is_iban(written: str) -> bool:
    number = re.sub("[ -]", "", written)
    tail = number[4:]
    if not 15 <= len(number) <= 34 or sum(sign.isdecimal() for sign in tail) < len(tail) / 3:
        return False
    return mod97(number) == 1


def find_ssn(text: str) -> Iterator[PersonalData]:
    """US social security numbers: area not 000, 666 or 9xx, group not 00, serial not 0000. Nine digits in a row, or with
    spaces or dots, only where the text says what they are."""
    for match in _SSN.finditer(text):
        area, between, group, serial = match.groups()
        if area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000":
            continue
        if between == "-" or SSN_WORDS.search(text[max(0, match.start() - 64) : match.start()]):
            yield PersonalData(match.start(), match.end(), "US_SSN", 0.9 if between == "-" else 0.8)


def find_phone(text: str) -> Iterator[PersonalData]:
    """Phone numbers: 7 to 15 digits, written as phone numbers are, or after a word that announces one."""
    for match in _PHONE.finditer(text):
        start = match.start()
        written = match[0].rstrip("( ")
        before = text[max(0, start - 64) : start]
        announced = _PHONE_WORDS.search(before) is not None
        if (before.endswith("=") and not announced and not written.startswith("+")) or _LETTERED.search(before):
            continue
        if _IDENTIFIER_WORDS.search(before[-28:]) or (
            _DATE.match(written) and not (announced and _PAIRS.fullmatch(written))
        ):
            continue
        listed = _CONTACT_WORDS.search(text, max(0, start - 160), start) is not None
        if confidence := _phone_form(written, announced=announced, listed=listed):
            yield PersonalData(start, start + len(written), "PHONE_NUMBER", confidence)


def _phone_form(written: str, *, announced: bool, listed: bool) -> float:
    """How surely this is a phone number; 0 where it is not."""
    core = re.split(r"x|ext", written, maxsplit=1, flags=re.IGNORECASE)[0].strip()
    digits = re.sub(r"\D", "", core)
    groups = re.findall(r"\d+", core)
    if not 7 <= len(digits) <= 15 or (len(set(digits)) < 2 and len(groups) < 3):
        return 0.0
    if _SSN_FORM.fullmatch(core):
        return 0.0
    if core.startswith(("+", "(+")) or (core.startswith("00") and len(digits) >= 10):
        return 0.95
    if re.fullmatch(r"(?:1[ .-])?\(?[2-9]\d\d\)?[ .\-/]{0,2}\d{3}[ .-]\d{4}", core):
        return 0.95
    if re.fullmatch(r"8[ -]?\(\d{3}\)[ -]?\d{3}[ -]?\d\d[ -]?\d\d", core):
        return 0.9
    if announced and (len(digits) >= 8 or len(groups) > 1):
        return 0.85
    if core.startswith(("(", "0")) and 9 <= len(digits) <= 12 and (len(groups) >= 2 or len(digits) in (10, 11)):
        return 0.0 if re.fullmatch(r"\d+(?:\.\d+)?", core) and len(groups) == 2 else 0.75
    if listed and len(groups) == 1 and 10 <= len(digits) <= 11:
        return 0.6
    return 0.6 if _grouped(core, groups, len(digits)) else 0.0


def _grouped(core: str, groups: list[str], digits: int) -> bool:
    """Like 555-0123, or three groups and more of two to five digits with one mark between them."""
    if re.fullmatch(r"[2-9]\d\d-\d{4}", core):
        return True
    if re.fullmatch(r"\d{2} \d{4,5}-\d{4}|\d( \d{2,4}){4}", core):
        return True
    marks = set(re.findall(r"\D+", core))
    even = all(2 <= len(group) <= 5 for group in groups)
    return len(groups) >= 3 and 9 <= digits <= 12 and len(marks) == 1 and not marks & {".", "/"} and even


def find_ip(text: str) -> Iterator[PersonalData]:
    for match in _IP.finditer(text):
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue
        if len(match[0]) > 3:
            yield PersonalData(match.start(), match.end(), "IP_ADDRESS", 0.6 if address.is_loopback else 0.9)


def _pattern(kind: str, pattern: re.Pattern[str]) -> Callable[[str], Iterator[PersonalData]]:
    def found(text: str) -> Iterator[PersonalData]:
        for match in pattern.finditer(text):
            yield PersonalData(match.start(), match.end(), kind)

    return found


RECOGNISERS: Mapping[str, Callable[[str], Iterator[PersonalData]]] = MappingProxyType(
    {
        "IBAN_CODE": find_iban,
        "CREDIT_CARD": find_card,
        "US_SSN": find_ssn,
        "EMAIL_ADDRESS": _pattern("EMAIL_ADDRESS", _EMAIL),
        "IP_ADDRESS": find_ip,
        "MAC_ADDRESS": _pattern("MAC_ADDRESS", _MAC),
        "CRYPTO": _pattern("CRYPTO", _CRYPTO),
        "PHONE_NUMBER": find_phone,
    }
)
"""In order of precedence: where two find overlapping text, the earlier holds."""


def find_personal(
    text: str, kinds: Iterable[str] = tuple(RECOGNISERS), *, more: Iterable[PersonalData] = ()
) -> list[PersonalData]:
    """What is personal in `text`, in order, without overlaps. `more`: findings from elsewhere, which give way to ours."""
    chosen: list[PersonalData] = []
    wanted = set(kinds)
    text = _as_typed(text)
    for kind, find in RECOGNISERS.items():
        if kind in wanted:
            _place(chosen, find(text))
    _place(chosen, (found for found in more if found.kind in wanted))
    return sorted(chosen)


def _as_typed(text: str) -> str:
    """Digits of every script and dashes of every length as a keyboard has them, sign for sign: places stay."""
    if text.isascii():
        return text
    return _ODD.sub(lambda match: "-" if match[0] in _DASHES else str(unicodedata.decimal(match[0])), text)


def _place(chosen: list[PersonalData], found: Iterable[PersonalData]) -> None:
    taken = list(chosen)
    chosen += [one for one in found if all(one.stop <= other.start or one.start >= other.stop for other in taken)]
