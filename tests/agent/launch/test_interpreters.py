"""Which commands start a Python that would not load the hooks."""

import sys
from pathlib import Path

import pytest

from mutx_agent.launch.interpreters import blind_option, blind_option_in_shell, interpreter_of, is_python


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["python3", "-I", "x.py"], "python3 -I"),
        (["/usr/bin/python3.12", "-E", "x.py"], "python3.12 -E"),
        (["python", "-uS", "x.py"], "python -S"),
        (["python", "-Im", "venv"], "python -I"),
        (["python", "-X", "dev", "-I"], "python -I"),
        (["python", "-Wignore", "-S"], "python -S"),
        (["pypy3", "-I"], "pypy3 -I"),
        (["env", "A=1", "python3", "-I"], "python3 -I"),
        (["nice", "-n", "5", "timeout", "9", "python3", "-E"], "python3 -E"),
        (["bash", "-c", "cd x && python3 -I y.py"], "python3 -I"),
        (["sh", "-xec", "python -S y.py"], "python -S"),
        (["python3", "x.py", "-I"], None),
        (["python3", "-c", "pass", "-I"], None),
        (["python3", "-m", "http.server", "-I"], None),
        (["python3", "-mvenv", "-I"], None),
        (["python3", "-W", "-I"], None),
        (["python3", "--", "-I"], None),
        (["python3", "-"], None),
        (["python3", "--check-hash-based-pycs", "always"], None),
        (["python3", "-B", "-s", "-P", "x.py"], None),
        (["pythonic", "-I"], None),
        (["cat", "-E"], None),
        (["bash", "script.sh", "-c"], None),
        (["sh", "-c"], None),
        (["env"], None),
        ([], None),
    ],
)
def test_commands(words: list[str], option: str | None) -> None:
    assert blind_option(words) == option


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("python3 -I x.py", "python3 -I"),
        ("true; python -E x.py | cat", "python -E"),
        ("echo hi", None),
        ("python3 x.py 'unclosed", None),
        ("", None),
    ],
)
def test_shell_texts(text: str, option: str | None) -> None:
    assert blind_option_in_shell(text) == option


@pytest.mark.parametrize(
    ("line", "option", "python"),
    [
        ("#!/usr/bin/python3 -I", "python3 -I", True),
        ("#!/usr/bin/env python3", None, True),
        ("#!/bin/sh", None, False),
        ("print()", None, False),
    ],
)
def test_scripts_are_looked_into(tmp_path: Path, line: str, option: str | None, python: bool) -> None:
    script = tmp_path / "tool"
    script.write_text(line + "\n")
    script.chmod(0o755)
    assert blind_option([str(script)]) == option
    assert is_python(interpreter_of([str(script)])) is python


def test_what_is_not_there_or_not_readable_is_what_it_is_called(tmp_path: Path) -> None:
    assert interpreter_of(["no-such-thing"]) == "no-such-thing"
    assert interpreter_of([]) == ""
    assert is_python(interpreter_of([sys.executable]))
    assert interpreter_of(["env", "-i", "A=1", "python3", "x.py"]) == "python3"
