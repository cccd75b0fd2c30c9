"""What people are shown: lists without brackets, things inside of things under both names, lists of things as tables."""

import pytest

from mutx.cli.output import print_fields
from tests.cli.conftest import Run


def shown_of(capsys: pytest.CaptureFixture[str], value: dict[str, object]) -> list[list[str]]:
    print_fields(value)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_lists_and_answers_read_as_words(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_of(capsys, {"roles": ["ADMIN", "VIEWER"], "is_active": True, "paused": False, "none": [], "left": 0})
    assert shown == [["roles", "ADMIN,", "VIEWER"], ["is", "active", "yes"], ["paused", "no"], ["left", "0"]]


def test_long_items_stand_below_one_another(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = "the first of two sentences that are too long", "the second of them"
    assert shown_of(capsys, {"why": [first, second]}) == [["why", *first.split()], second.split()]


def test_what_is_inside_stands_under_both_names(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_of(capsys, {"summary": {"must": {"done": 7, "of": 7}, "open": ["R8"]}, "limits": {"rate": 5}})
    assert shown == [
        ["summary", "must", "done:", "7,", "of:", "7"],
        ["summary", "open", "R8"],
        ["limits", "rate:", "5"],
    ]


def test_a_list_of_things_is_a_table_of_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "at": "noon", "ok": True}, {"id": "b", "at": "noon", "ok": False}]
    assert shown_of(capsys, {"results": rows}) == [[], ["results"], ["id", "ok"], ["a", "yes"], ["b", "no"]]
    assert shown_of(capsys, {"results": rows[:1]})[2] == ["id", "at", "ok"]
    assert shown_of(capsys, {"results": [rows[0], rows[0]]})[2] == ["id", "at", "ok"]


def test_lists_inside_of_things_are_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_of(capsys, {"chain": {"head": "h", "links": [{"seq": 1}, {"seq": 2}]}})
    assert shown == [["chain", "head", "h"], [], ["chain", "links"], ["seq"], ["1"], ["2"]]


def test_names_that_agents_chose_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"args": {"[red]x\x1b[2J": [1]}, "[bold]rows": [{"[blink]y\x07": 1}]})
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert ["args [red]x\\x1b[2J" in shown, "[bold]rows" in shown, "[blink]y\\x07" in shown] == [True] * 3


def test_what_is_deeper_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "rule": {"args": ["x", None]}}, {"id": "b"}]
    assert shown_of(capsys, {"results": rows})[3] == ["a", '{"args":', '["x",', "null]}"]


@pytest.mark.usefixtures("signed_in")
def test_the_compliance_report_reads_as_a_table(run: Run) -> None:
    lines = run("security", "compliance").stdout.splitlines()
    assert "requirement id" in lines[lines.index("results") + 1]
    assert any(line.split()[:3] == ["R1", "MUST", "Block"] for line in lines)
    assert "{" not in "".join(lines)
