"""Arguments against their declaration."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutx.governance.arguments import MAX_VIOLATIONS, violations
from mutx.governance.tools import ParameterConstraint, ParameterType, ToolSchema
from mutx.kit.errors import PolicyInvalid

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists)


def schema(*, additional: bool = True, **constraint: Any) -> ToolSchema:
    parameter = ParameterConstraint(name="x", **constraint)
    return ToolSchema(name="t", parameters=(parameter,), additional_parameters=additional)


def problems(value: Any, **constraint: Any) -> tuple[str, ...]:
    return violations(schema(**constraint), {"x": value})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (ParameterType.STRING, ["", "é"], [1, True, [], {}]),
        (ParameterType.NUMBER, [1, 1.5, -0.0, 2**60], [True, False, "1", math.nan, math.inf, -math.inf, []]),
        (ParameterType.INTEGER, [0, -3, 4.0], [True, 1.5, "1", math.nan, math.inf]),
        (ParameterType.BOOLEAN, [True, False], [0, 1, "true"]),
        (ParameterType.ARRAY, [[], [1]], [{}, "x", 1]),
        (ParameterType.OBJECT, [{}, {"a": 1}], [[], "x", 1]),
        (ParameterType.ANY, ["x", 1, True, [], {}], [math.nan, math.inf]),
    ],
)
def test_types(kind: ParameterType, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert problems(value, type=kind) == (), value
    for value in bad:
        assert len(problems(value, type=kind)) == 1, value


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ({"min_value": 1, "max_value": 10}, [1, 10, 5.5], [0, 0.999, 10.0001, 11, "5", True, math.nan]),
        ({"min_value": 1}, [1, 2**53], [0]),
        ({"max_value": 1.5}, [1.5, -(2**53)], [1.6]),
        ({"min_length": 2, "max_length": 3}, ["ab", "äöü", [1, 2], {"a": 1, "b": 2}], ["a", "abcd", [1], {}, 12]),
        ({"min_length": 1}, ["x"], [""]),
        ({"max_length": 1}, ["𝔘"], ["ab"]),
        ({"pattern": "[a-z]+"}, ["abc"], ["ABC", "abc1", "1abc", "", "abc\n", 5, "\ud800"]),
        ({"pattern": "a|bc"}, ["a", "bc"], ["ac", "abc"]),
        ({"allowed_values": ("a", 1, True)}, ["a", 1, 1.0, True], ["A", "а", 2, False, "1", [1]]),
        ({"allowed_values": (0,)}, [0, -0.0], [False, "0"]),
        ({"blocked_values": ("rm", 1)}, ["RM", "ｒｍ", True, 2, [1]], ["rm", 1, 1.0]),
    ],
)
def test_constraints(constraint: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert problems(value, **constraint) == (), value
    for value in bad:
        assert problems(value, **constraint), value


def test_a_required_parameter_is_there_and_not_null_and_an_optional_one_may_be_null() -> None:
    assert violations(schema(required=True), {}) == ("parameter 'x' is required",)
    assert violations(schema(required=True), {"x": None}) == ("parameter 'x' is required",)
    assert violations(schema(type=ParameterType.STRING, min_length=1), {"x": None}) == ()
    assert violations(schema(type=ParameterType.STRING), {}) == ()


def test_undeclared_parameters_are_refused_only_where_the_tool_says_so() -> None:
    assert violations(schema(), {"y": 1}) == ()
    assert violations(schema(additional=False), {"y": 1, "х": 2}) == (
        "parameter 'y' is not declared",
        "parameter 'х' is not declared",
    )


def test_messages_are_few_short_and_never_hold_a_value() -> None:
    flood = {f"secret-key-{at}" * 100: 1 for at in range(1_000)}
    found = violations(schema(additional=False), flood)
    assert len(found) == MAX_VIOLATIONS
    assert max(map(len, found)) < 120
    secret = "hunter2"
    for constraint in (
        {"type": ParameterType.NUMBER},
        {"pattern": "x"},
        {"max_length": 1},
        {"min_length": 100},
        {"allowed_values": ("a",)},
        {"blocked_values": (secret,)},
        {"min_value": 3},
    ):
        (message,) = problems(secret, **constraint)
        assert secret not in message
        assert "'x'" in message


def test_a_value_that_is_too_long_is_not_matched_against_the_pattern() -> None:
    assert problems("ab", max_length=1, pattern="c") == ("parameter 'x' must have a length of at most 1",)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*c", "(x+x+)+y"])
def test_hostile_input_takes_linear_time(pattern: str) -> None:
    assert problems("a" * 1_000_000 + "!", pattern=pattern)


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=x)"])
def test_a_pattern_that_re2_cannot_read_is_the_policys_fault(pattern: str) -> None:
    with pytest.raises(PolicyInvalid):
        problems("x", pattern=pattern)


@given(JSON, st.sampled_from(list(ParameterType)))
def test_any_json_value_gets_an_answer(value: Any, kind: ParameterType) -> None:
    found = problems(
        value, type=kind, min_value=0, max_value=9, min_length=1, max_length=9, pattern="a*", allowed_values=(1, "a")
    )
    assert all(message.startswith("parameter 'x' ") for message in found)
