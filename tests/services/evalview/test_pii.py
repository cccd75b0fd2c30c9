"""Personal data is found, and what only looks like it is not."""

import pytest

from mutx.services.evalview.pii import find_personal


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.stop]) for one in find_personal(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("my card 4111 1111 1111 1111 please", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("银行卡4111111111111111被重复扣款", "CREDIT_CARD", "4111111111111111"),
        ("card 5018 0000 0009 please", "CREDIT_CARD", "5018 0000 0009"),
        ("the card 4716 9876 2234 1561 was used", "CREDIT_CARD", "4716 9876 2234 1561"),
        ("pay to DE89 3704 0044 0532 0130 00, thanks", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432 is it", "IBAN_CODE", "GB82WEST12345698765432"),
        ("not DE89 3704 0044 0532 0130 01 but DE68 2105 0170 0012 3456 78", "IBAN_CODE", "DE68 2105 0170 0012 3456 78"),
        ("DE89 3704 0044 0532 0130 00 DE68 2105 0170 0012 3456 78", "IBAN_CODE", "DE68 2105 0170 0012 3456 78"),
        ("ssn 219-09-9998", "US_SSN", "219-09-9998"),
        ("Social Security Number: 219099998", "US_SSN", "219099998"),
        ("이메일은 anna.k@example.net입니다", "EMAIL_ADDRESS", "anna.k@example.net"),
        ("an jörg@example.de schreiben", "EMAIL_ADDRESS", "jörg@example.de"),
        ("call (212) 555-0182 now", "PHONE_NUMBER", "(212) 555-0182"),
        ("ring 555-0182", "PHONE_NUMBER", "555-0182"),
        ("direct line +44 114 496 0899, thanks", "PHONE_NUMBER", "+44 114 496 0899"),
        ("my number is 05834912568 ok", "PHONE_NUMBER", "05834912568"),
        ("電話番号は080-9122-6630、", "PHONE_NUMBER", "080-9122-6630"),
        ("Emergency contacts\n1) Ana Pérez 6141790552\n", "PHONE_NUMBER", "6141790552"),
        ("phone 480.455.0406x4584", "PHONE_NUMBER", "480.455.0406x4584"),
        ("contato: Ana, 83 9057-4073", "PHONE_NUMBER", "83 9057-4073"),
        (
            "card \u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
            "CREDIT_CARD",
            "\u0664" + "\u0661" * 15,
        ),
        ("card 4111\u20111111\u20111111\u20111111.", "CREDIT_CARD", "4111\u20111111\u20111111\u20111111"),
        ("4111.1111.1111.1111", "CREDIT_CARD", "4111.1111.1111.1111"),
        ("4111\t1111\t1111\t1111", "CREDIT_CARD", "4111\t1111\t1111\t1111"),
        ("from 203.0.113.7 today", "IP_ADDRESS", "203.0.113.7"),
        ("host 2001:db8::1 answered", "IP_ADDRESS", "2001:db8::1"),
        ("MAC 00:1a:2b:3c:4d:5e", "MAC_ADDRESS", "00:1a:2b:3c:4d:5e"),
        ("send to 0x52908400098527886E0F7030069857D2E4169EE7", "CRYPTO", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ],
)
def test_found(text: str, kind: str, value: str) -> None:
    assert (kind, value) in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112 shipped",
        "1111 1111 1111 1111",
        "0000 0000 0000 0000 0",
        "account 631656599398 holds it",
        "DE89 3704 0044 0532 0130 01",
        "XX12 ABCD EFGH IJKL MNOP",
        "000-12-3456 and 666-12-3456, 912-12-3456, 123-00-4567, 123-45-0000",
        "case 2023/789 of 2024-03-15 10:30",
        "version 1.2.3.4.5 build 20240315",
        "NIP 123-456-78-90",
        "invoice number: 20231234567",
        "999.1.1.1 and 12:30:45",
        "2019-2024",
        "::",
        "tel 5555555",
        "area 12345.6789012",
    ],
)
def test_not_found(text: str) -> None:
    assert kinds(text) == []


def test_an_iban_is_no_card_and_kinds_can_be_chosen() -> None:
    text = "FR14 2004 1010 0505 0001 3M02 606 and a@b.org"
    assert [kind for kind, _ in kinds(text)] == ["IBAN_CODE", "EMAIL_ADDRESS"]
    assert [one.kind for one in find_personal(text, ["EMAIL_ADDRESS"])] == ["EMAIL_ADDRESS"]
