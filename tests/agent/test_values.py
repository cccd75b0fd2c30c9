"""Python values to JSON and back."""

import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mutx.kit.canonical import canonical
from mutx_agent.ids import new_id
from mutx_agent.values import CannotModify, back, result_json, to_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


class Colour(Enum):
    RED = "red"


@dataclass
class Money:
    amount: int


@given(JSON)
def test_json_values_stay_what_they_are(value: Any) -> None:
    assert to_json(value) == value
    assert back(value, to_json(value), to_json(value)) is value


@given(JSON, JSON)
@example(0, 0.0)
def test_a_change_arrives_whole(before: Any, after: Any) -> None:
    """In the form that permits are bound to (RFC 8785), which knows one zero: 0 and 0.0 are the same number."""
    assert canonical(back(before, to_json(before), after)) == canonical(after)


def test_what_reads_like_text_is_sent_as_text() -> None:
    assert to_json([Path("/etc"), Colour.RED, (1, 2)]) == ["/etc", "red", [1, 2]]


@pytest.mark.parametrize(
    "value", [math.inf, math.nan, 2**53, "\ud800", b"x", {1: 2}, {"\udc00": 1}, Money(3), object()]
)
def test_what_json_cannot_hold_is_described(value: Any) -> None:
    described = to_json(value)
    assert described["$type"].endswith(type(value).__qualname__)
    json.dumps(described).encode()


def test_hostile_values_are_described_as_well() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    endless: list[Any] = []
    endless.append(endless)
    for value in (Rude(), endless, {"a": [Rude()]}, object):
        json.dumps(to_json(value)).encode()


def test_long_descriptions_are_cut_and_hashed() -> None:
    one, other = to_json(b"a" * 10_000), to_json(b"a" * 9_999 + b"b")
    assert len(one["$repr"]) == 4096
    assert one["$sha256"] != other["$sha256"]


def test_unchanged_parts_are_the_very_same_objects() -> None:
    money, pair = Money(3), (1, 2)
    original = {"money": money, "pair": pair, "to": "a", "gone": 1}
    sent = to_json(original)
    changed = back(original, sent, {**{k: v for k, v in sent.items() if k != "gone"}, "to": "b", "new": 1})
    assert changed == {"money": money, "pair": pair, "to": "b", "new": 1}
    assert changed["money"] is money
    assert back((1, money), to_json((1, money)), [2, to_json(money)]) == (2, money)
    assert back([money, 1], to_json([money, 1]), [to_json(money)]) == [money]


@pytest.mark.parametrize("value", [Money(1), Path("/x"), Colour.RED, b"x"])
def test_what_is_not_json_cannot_be_modified(value: Any) -> None:
    with pytest.raises(CannotModify, match=r"arguments\.deep"):
        back({"deep": value}, to_json({"deep": value}), {"deep": "other"})


def test_true_is_not_one() -> None:
    assert back({"n": True}, {"n": True}, {"n": 1})["n"] is not True


def test_large_results_are_cut_with_their_size_and_hash() -> None:
    assert result_json({"a": 1}) == {"a": 1}
    assert result_json("é" * 100_000) == "é" * 100_000
    cut = result_json("x" * 300_000)
    assert cut["$bytes"] == 300_002
    assert len(cut["$truncated"]) == 256 * 1024


def test_ids_are_uuid7_and_sort_by_time() -> None:
    ids = [UUID(new_id()) for _ in range(100)]
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {ids[0].variant}
    assert len(set(ids)) == 100
    assert sorted(one.int >> 80 for one in ids) == [one.int >> 80 for one in ids]
