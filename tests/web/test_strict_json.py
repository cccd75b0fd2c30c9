"""What two parsers could read in two ways is refused; everything else is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutx.kit.errors import MalformedBody
from mutx.web.strict_json import MAX_DEPTH, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_json_value_is_read(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[1e999]",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": [{"c": 1, "c": 1}]}}',
        b'{"a\\u003a": 1, "b": 2, "b": 3}',
        b'{"x": "\\u003a", "b:": 2, "b:": 3}',
        b'{"a": 1, "\\u0061": 2}',
        rb'"\ud800"',
        rb'{"\udc00": 1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"[" * 1000 + b"]" * 1000,
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b"{} {}",
        b"\xef\xbb\xbf{}",
    ],
)
def test_ambiguous_or_broken_text_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(body)


def test_depth_counts_nesting_and_not_brackets() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert len(parse(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000
    assert parse(b'"' + b"[" * 1000 + b'"') == "[" * 1000


def test_a_duplicate_is_named() -> None:
    with pytest.raises(MalformedBody, match="'amount' stands twice"):
        parse(b'{"amount": 1, "to": "a", "amount": 2}')
