"""Texts with and without personal data, made here: formats by country, in sentences, JSON, CSV and log lines, and what looks alike.

Written from the formats themselves (ISO 7812, ISO 13616, E.164 and national customs), not from the recognisers.
"""

import random
from collections.abc import Callable
from typing import NamedTuple


class Made(NamedTuple):
    """`kind` is empty where there is nothing personal."""

    text: str
    kind: str
    value: str


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _fill(rng: random.Random, form: str) -> str:
    """`#`: a digit, `N`: 2 to 9, `A`: a letter, `h`: a hexadecimal digit."""
    sets = {"#": "0123456789", "N": "23456789", "A": "ABCDEFGHJKLMNPRSTUVWXYZ", "h": "0123456789abcdef"}
    return "".join(rng.choice(sets[sign]) if sign in sets else sign for sign in form)


def luhn_digit(digits: str) -> str:
    total = 0
    for at, sign in enumerate(reversed(digits)):
        value = int(sign) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card(rng: random.Random) -> str:
    start, length = rng.choice(
        [
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("2720", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
            ("3530", 16),
            ("3589", 16),
            ("36", 14),
            ("3056", 14),
            ("6221", 16),
            ("6759", 16),
            ("4", 16),
        ]
    )
    body = start + _digits(rng, length - len(start) - 1)
    number = body + luhn_digit(body)
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
    between = rng.choice(["", " ", "-", " "])
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return between.join(parts)


def ssn(rng: random.Random) -> str:
    area = rng.choice([rng.randint(1, 665), rng.randint(667, 899)])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


# Country -> the account part: n digits, A letters.
_BBAN = {
    "DE": "##################", "GB": "AAAA##############", "FR": "#######################", "ES": "####################",
    "IT": "A######################", "NL": "AAAA##########", "BE": "############", "CH": "#################", "AT": "################",
    "PL": "########################", "PT": "#####################", "SE": "####################", "NO": "###########",
    "DK": "##############", "FI": "##############", "IE": "AAAA##############", "CZ": "####################",
    "GR": "#######################", "TR": "######A###############"[:22], "RO": "AAAA################", "HU": "########################",
    "SA": "####################", "AE": "###################", "BR": "#######################A1", "MT": "AAAA#######################",
    "LU": "################", "UA": "#########################", "KZ": "################", "IS": "######################",
    "LV": "AAAA#############", "HR": "#################", "QA": "AAAA#####################", "LC": "AAAA########################",
}  # fmt: skip


def iban(rng: random.Random) -> str:
    country = rng.choice(sorted(_BBAN))
    account = _fill(rng, _BBAN[country])
    moved = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    number = f"{country}{98 - int(moved) % 97:02}{account}"
    form = rng.random()
    if form < 0.5:
        return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return number if form < 0.9 else number.lower()


def email(rng: random.Random) -> str:
    first, last = (
        rng.choice(["ana", "j.smith", "li", "o'brien", "Max", "x_y", "k-p", "user99", "a"]),
        rng.choice(["", ".lee", "+tag", "42", "_b"]),
    )
    host = rng.choice(
        [
            "example.com",
            "mail.example.org",
            "example.co.uk",
            "my-firm.example.net",
            "uni-bonn.example.de",
            "163.com",
            "a.b.c.example.io",
            "example.museum",
        ]
    )
    return f"{first}{last}@{host}"


PHONES = (
    "+1 NN2-N##-####", "(NN3) N##-####", "NN2-N##-####", "NN4.N##.####", "1-NN2-N##-####", "+1NN2N######", "+44 20 7### ####", "020 7### ####", "+44 7### ######",
    "07### ######", "+49 30 #######", "030 1######", "+49 (0)89 1######", "+49 171 #######", "0171 #######", "0171/#######", "+33 6 ## ## ## ##", "06 ## ## ## ##", "01.42.##.##.##",
    "+34 6## ### ###", "+34 91 ### ## ##", "+39 06 #### ####", "+39 3## #######", "+31 6 ########", "+31 20 ### ####", "06-########", "+32 4## ## ## ##", "+41 44 ### ## ##", "044 ### ## ##",
    "+43 1 #######", "+46 70-### ## ##", "+47 ## ## ## ##", "+45 ## ## ## ##", "+358 40 #######", "+48 ### ### ###", "+420 ### ### ###", "+36 30 ### ####", "+40 7## ### ###", "+30 69# ### ####",
    "+90 5## ### ## ##", "+7 9## ###-##-##", "8 (9##) ###-##-##", "+380 ## ### ## ##", "+91 9#### #####", "+91-9#########", "+86 13# #### ####", "+81 90-####-####", "090-####-####", "03-####-####",
    "+82 10-####-####", "010-####-####", "+55 11 9####-####", "(11) 9####-####", "+52 55 #### ####", "+54 9 11 ####-####", "+61 4## ### ###", "(02) 9### ####", "+64 21 ### ####", "+27 82 ### ####",
    "+971 50 ### ####", "+966 5# ### ####", "+972-5#-###-####", "+65 8### ####", "+60 12-### ####", "+62 812-####-####", "+66 8# ### ####", "+84 9# ### ## ##", "+234 80# ### ####", "+254 7## ######",
    "0049 30 #######", "+1 (NN2) N##-#### ext. ##", "+353 1 ### ####", "+351 9## ### ###",
)  # fmt: skip


def phone(rng: random.Random) -> str:
    return _fill(rng, rng.choice(PHONES))


# Where a value stands: a sentence, JSON, CSV, a log line, beside other scripts.
_AROUND = (
    "{word} {value}", "{word}: {value}.", "My {word} is {value}, please update it.", '{{"{key}": "{value}", "ok": true}}', "id,{key},city\n17,{value},Bonn",
    "2025-03-04T10:11:12Z INFO user=17 {key}={value} status=200", "<td>{value}</td><td>{word}</td>", "| {word} | {value} |", "please use {value} ({word})", "{key}: '{value}'\nactive: yes",
    "{word}:\t{value}\tok", "[{word}={value}]", "{word} {value}; thanks!", "客户的{word}：{value}，谢谢", "{word}は{value}です", '"{value}";"{word}"', "call me back. {word} {value}\nRegards",
)  # fmt: skip
_WORDS = {
    "CREDIT_CARD": ("card", "card number", "credit card", "Visa"), "US_SSN": ("SSN", "social security number", "ssn"), "IBAN_CODE": ("IBAN", "bank account", "konto"),
    "EMAIL_ADDRESS": ("mail", "e-mail", "contact"), "PHONE_NUMBER": ("phone", "tel", "mobile", "call"),
}  # fmt: skip
_VALUES: dict[str, Callable[[random.Random], str]] = {
    "CREDIT_CARD": card, "US_SSN": ssn, "IBAN_CODE": iban, "EMAIL_ADDRESS": email, "PHONE_NUMBER": phone,
}  # fmt: skip

LOOK_ALIKES = (
    "order 4### #### ####-##", "Order no. #########", "order number: 20251#######", "tracking 1ZA#A#A#0#########", "tracking number ############", "version 1#.#.##-#", "v2.1#.#+build.2025####",
    "python 3.11.# (main, Oct 2024)", "2025-0N-1# 1#:##:##.###", "2025-0N-1#T1#:##:##Z", "took 1#.#### s at 17#########", "ts=17###########", "hhhhhhhh-hhhh-4hhh-ahhh-hhhhhhhhhhhh",
    "request hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "sha256:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "commit hhhhhhh fixes #1###", "from 10.1#.2#.1## port 5####",
    "192.168.#.1#/24", "48.8#####, 2.3#####", "lat=52.5#####&lon=13.4#####", "48° 51.### north, 2° 21.###", "isbn 978-3-16-14####-#", "ean: 40063813#####", "SKU A-####-##-###", "invoice 2025-####-###",
    "$1,###,###.##", "EUR 12.###.###,##", "1 ### ### ### people", "population 8#######", "pixels 1920x1080", "1 2 3 4 5 6 7 8 9", "10-20-30", "pages 112-118", "2019-2024", "Q3/2025: 1##.# %", "0x7fffhhhhhhhh",
    "lib@1.#.#", "@scope/pkg@2.#.#", "icon@2x.png", "@handle said hi", "user@localhost", "a@b", "price 3@4.50", "room 4.1##, floor #", "HTTP/1.1 404 ####", "error 0x8007####", "row 1####### of 2#######",
    "DIN EN 1###-#", "RFC 2###", "ABCD1234567890", "license A###-####-####-##A", "case 2023/###", "zip 9####-####", "VAT DE#########", "mac aa:bb:cc:dd:hh:hh", "000-##-####", "666-##-####", "9##-00-####",
    "part 123-00-####", "4111 1111 1111 1112", "DE00 1234 5678 9012 3456 78", "XX12 AAAA BBBB CCCC", "ratio 16:9, 1080:1920", "score 3-2-1", "seed=##########", "epoch 17######## seconds", "offset 0x1########",
    "GB99 9999 9999 9999", "12.34.56.78.90", "1.234.567.890", "step 1-2-3-4-5-6-7-8", "port 8080-8090-9000", "1###-1###-1###-1###-1###-1###", "id=########", "uid ############", "node-1#-2#-3#-4#", "[1,2,3,4,5,6,7,8,9,10]",
    "0.1#######", "3.14159265358979", "1e-1########", "img_2025####_1#####.jpg", "backup-2025####-1#####.tar", "AB-12-34-56-C", "12#/45#/789", "(1##) of (2##)", "A4 210 x 297 mm", "batch 2025-11-22-###",
)  # fmt: skip


def corpus(seed: int, each: int = 400) -> list[Made]:
    """`each` texts of every kind, and four look-alikes for every one of them."""
    rng = random.Random(seed)
    made = []
    for kind, value_of in _VALUES.items():
        for _ in range(each):
            value, word = value_of(rng), rng.choice(_WORDS[kind])
            made.append(
                Made(rng.choice(_AROUND).format(value=value, word=word, key=word.replace(" ", "_")), kind, value)
            )
    for _ in range(4 * each):
        value = _fill(rng, rng.choice(LOOK_ALIKES))
        made.append(
            Made(
                rng.choice(
                    ("{0}", "see {0}.", '{{"a": "{0}"}}', "x,{0},y", "INFO {0}", "{0}\nok", "記録 {0}、")
                ).format(value),
                "",
                "",
            )
        )
    return made
