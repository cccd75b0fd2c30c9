"""tools/check.py: every check runs, and the last line names those that failed."""

import sys

import pytest

from tools import check, openapi


def test_all_checks_run_and_the_failed_ones_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def python(code: str) -> list[str]:
        return [sys.executable, "-c", code]

    monkeypatch.setattr(check, "CHECKS", {"one": python("exit('broken')"), "two": python("print('fine')")})
    assert check.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAIL one")
    assert lines[1] == "     broken"
    assert lines[2].startswith("ok   two")
    assert lines[2].endswith("fine")
    assert lines[3] == "1 of 2 checks failed: one"


def test_a_changed_description_is_shown_as_a_difference() -> None:
    assert openapi.difference("{}\n", "{}\n") == []
    assert openapi.difference('"a"\n', '"b"\n')[-2:] == ['-"a"', '+"b"']
