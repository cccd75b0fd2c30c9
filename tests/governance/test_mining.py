"""What is learned of arguments: kinds, limits, and closed sets that both halves of the history knew whole."""

from typing import Any

from mutx.governance.mining import ENOUGH, FEW, MAX_KEPT, SeenArgument


def seen(*values: Any, halves: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    argument = SeenArgument()
    for value in values:
        for half in halves:
            argument.add(value, half)
    return argument.constraint(argument.calls)


def test_kinds_and_limits() -> None:
    assert seen(3, 10.5) == {"required": True, "type": "number", "max": 21.0, "min": 0}
    assert seen(-4, 2) == {"required": True, "type": "number", "max": 4, "min": -8.0}
    assert seen(True) == {"required": True, "type": "boolean"}
    assert seen([1, 2, 3]) == {"required": True, "type": "array", "max_length": 6}
    assert seen({"a": 1}) == {"required": True, "type": "object", "max_length": 3}
    assert seen("x" * 50) == {"required": True, "type": "string", "max_length": 100}


def test_what_varies_in_kind_or_is_null_stays_open() -> None:
    assert seen(1, "a") == {"required": True}
    assert seen(None) == {"required": True}


def test_a_closed_set_needs_both_halves_and_enough_calls() -> None:
    many = ["eur", "usd"] * ENOUGH
    assert seen(*many)["allowed"] == ["eur", "usd"]
    assert "allowed" not in seen(*many, halves=(1,))
    assert "allowed" not in seen("eur", "usd")
    assert "allowed" not in seen(*[f"c{number % (FEW + 1)}" for number in range(100)])


def test_mail_domains() -> None:
    addresses = [f"p{number}@corp.example" for number in range(ENOUGH + MAX_KEPT)]
    assert seen(*addresses)["pattern"] == r"(?i)[^@\s]+@(?:corp\.example)"
    assert "pattern" not in seen(*addresses, "no address")


def test_an_argument_that_is_sometimes_there_is_not_required() -> None:
    argument = SeenArgument()
    argument.add("a", 1)
    assert "required" not in argument.constraint(2)
