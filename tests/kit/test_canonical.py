"""canonical() is RFC 8785: its own examples, and the library as judge over generated values."""

import dataclasses
import datetime
import enum
import hashlib
import json
import math
import struct
import uuid
from collections import OrderedDict

import orjson
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mutx.kit.canonical import MAX_DEPTH, canonical, digest, sha256_hex
from mutx.kit.errors import InputError

# RFC 8785 appendix B: IEEE 754 bits and the text they must have
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

awkward_floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**22), 10**22).map(float),
    st.sampled_from([0.0, -0.0, 1e16, 1e15, 1e17, 1e21, 1e20, 1e22, 1e-6, 1e-7, 9.5e-7, 100.0, 0.1, 1.5e300, 5e-324]),
    st.sampled_from([1e16, 1e21, 1e-6, 2.0**53, 1e15, 1.0]).flatmap(
        lambda near: st.sampled_from([math.nextafter(near, math.inf), math.nextafter(near, 0)])
    ),
)
awkward_text = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=0x9F), max_size=8),
    st.text(alphabet='\ue000\uffff\U00010000\U0010ffff\ufb33€a\u2028\x7f"\\/', max_size=4),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), awkward_floats, awkward_text)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(awkward_text, inner, max_size=5)),
    max_leaves=25,
)


@settings(max_examples=1500, deadline=None)
@example({"\U00010000": 1, "\ue000": 2})
@example({"a": [1e16, -0.0, 100.0, 0.5]})
@given(json_values)
def test_bytes_are_those_of_the_judge(value):
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=500, deadline=None)
@given(json_values)
def test_what_was_written_reads_back_the_same(value):
    again = json.loads(canonical(value), parse_int=number)
    assert canonical(again) == canonical(value)


def number(digits):
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_of_appendix_b(bits, text):
    [value] = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == text.encode()
    assert canonical({"n": [value]}) == b'{"n":[%b]}' % text.encode()


def test_the_example_of_section_3_2_2():
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(value) == expected.encode()


def test_the_sorting_example_of_section_3_2_3():
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    expected = ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(names, 0)))) == expected


class Shade(enum.StrEnum):
    DARK = "dark"


class Odd(str, enum.Enum):  # noqa: UP042 - a StrEnum's value is always its text
    """An enum whose text and value differ, as orjson and rfc8785 see it."""

    def __new__(cls, text, value):
        member = str.__new__(cls, text)
        member._value_ = value
        return member

    A = "text", "value"


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Plain(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int = 1


@pytest.mark.parametrize(
    "value",
    [
        (1, (2,), []),
        {"a": (1, 2)},
        Text("x"),
        {Text("k"): Text("v")},
        Whole(3),
        Shade.DARK,
        {Shade.DARK: [Shade.DARK]},
        Odd.A,
        OrderedDict(b=1, a=2),
        {"deep": [{"er": True}], "bool": [True, 1, False, 0]},
        "",
        None,
        2**53 - 1,
    ],
)
def test_subclasses_and_tuples_are_written_as_the_judge_writes_them(value):
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf],
        {"a": -math.inf},
        2**53,
        [-(2**53)],
        10**5000,
        {1: "a"},
        {b"k": 1},
        {None: 1},
        "\ud800",
        {"\udfff": 1},
        ["ok", {"a": "\ud83d"}],
        b"bytes",
        {1, 2},
        1j,
        object(),
        uuid.UUID(int=1),
        [uuid.UUID(int=1)],
        datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC),
        datetime.date(2027, 1, 1),
        Plain.ONE,
        Point(),
        orjson.Fragment(b"1"),
        [orjson.Fragment(b'"injected"')],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(InputError) as caught:
        canonical(value)
    assert "injected" not in str(caught.value)


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: {"\U00010000": v}])
def test_depth_is_bounded_alike_on_both_paths(wrap):
    value = []
    for _ in range(MAX_DEPTH - 1):
        value = wrap(value)
    assert canonical(value) == rfc8785.dumps(value)
    with pytest.raises(InputError, match="nested deeper"):
        canonical(wrap(value))


def test_a_value_that_holds_itself_is_refused():
    knot = []
    knot.extend((knot, knot))
    with pytest.raises(InputError):
        canonical(knot)


def test_digests():
    assert sha256_hex(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest({"b": 1, "a": 2.0}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
