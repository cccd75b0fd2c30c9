"""tools/budgets.py: what it catches, what a listed exception excuses."""

import tomllib
from typing import Any

import pytest

from tools.budgets import check, p90
from tools.sources import ROOT, Source

GENEROUS = {"file_median": 10_000, "file_p90": 10_000, "file_max": 400, "function_p90": 10_000, "function_max": 60}


def config(**tables: dict[str, str] | dict[str, int]) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "limits": GENEROUS,
        "files": {},
        "functions": {},
        "broad_excepts": {},
        "broad_except_max": {},
        "lazy_imports": {},
    }
    return empty | tables


def source(text: str, path: str = "src/mutx/a.py") -> Source:
    return Source(path, text)


def function(lines: int, name: str = "f") -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


BROAD = "def door():\n    try:\n        pass\n    except Exception:\n        pass\n"


def test_a_file_of_401_lines_is_too_long() -> None:
    assert check([source("x = 1\n" * 400)], config()) == []
    assert check([source("x = 1\n" * 401)], config()) == ["src/mutx/a.py is 401 lines, the limit is 400"]


def test_a_function_of_61_lines_is_too_long_wherever_it_stands() -> None:
    assert check([source(function(60))], config()) == []
    method = "class A:\n" + "".join(f"    {line}\n" for line in function(61).splitlines())
    assert check([source(method)], config()) == ["src/mutx/a.py::A.f (line 2) is 61 lines, the limit is 60"]


def test_medians_and_percentiles_are_held() -> None:
    limits = GENEROUS | {"file_median": 2, "file_p90": 3, "function_p90": 4}
    sources = [source("x = 1\n" * 3), source(function(5))]
    assert check(sources, config(limits=limits)) == [
        "the median file is 4 lines, the limit is 2",
        "the 90th percentile file is 5 lines, the limit is 3",
        "the 90th percentile function is 5 lines, the limit is 4",
    ]
    assert p90(list(range(1, 11))) == 9
    assert p90([]) == 0


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException as error", " (ValueError, builtins.Exception)"])
def test_an_unlisted_broad_except_is_found(kind: str) -> None:
    (problem,) = check([source(BROAD.replace(" Exception", kind))], config())
    assert problem.startswith("src/mutx/a.py::door (line 4): broad except")


def test_a_narrow_except_is_fine() -> None:
    assert check([source(BROAD.replace("Exception", "(OSError, ValueError)"))], config()) == []


def test_a_listed_broad_except_is_excused_once() -> None:
    listed = config(broad_excepts={"src/mutx/a.py::door": "the door"})
    assert check([source(BROAD)], listed) == []
    twice = BROAD + "    try:\n        pass\n    except Exception:\n        pass\n"
    (problem,) = check([source(twice)], listed)
    assert "(line 8): a second broad except" in problem


def test_the_engine_has_one_broad_except_at_most() -> None:
    listed = config(broad_excepts={"src/mutx/governance/*": "many"}, broad_except_max={"src/mutx/governance": 1})
    sources = [source(BROAD, f"src/mutx/governance/{name}.py") for name in "ab"]
    assert check(sources, listed) == ["src/mutx/governance: 2 broad excepts, the limit is 1"]


def test_an_import_inside_a_function_needs_a_listing() -> None:
    lazy = source("def f():\n    import redis\n    return redis\n")
    assert check([lazy], config()) == [
        "src/mutx/a.py (line 2): import inside a function, not listed in budgets.toml [lazy_imports]"
    ]
    assert check([lazy], config(lazy_imports={"src/mutx/a.py": "an extra"})) == []


def test_an_exception_needs_a_reason_and_a_use() -> None:
    assert check([source(function(61))], config(functions={"src/mutx/a.py::f": " "})) == [
        "budgets.toml [functions] src/mutx/a.py::f: give a reason"
    ]
    assert check([], config(files={"src/mutx/gone.py": "long"})) == [
        "budgets.toml [files] src/mutx/gone.py: no longer applies, remove it"
    ]


def test_the_limits_are_those_of_the_design() -> None:
    limits = tomllib.loads((ROOT / "tools/budgets.toml").read_text("utf-8"))["limits"]
    assert limits == {"file_median": 120, "file_p90": 250, "file_max": 400, "function_p90": 30, "function_max": 60}
