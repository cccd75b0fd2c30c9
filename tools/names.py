"""docs/names.md tells the truth: a name that is `here` imports, a `planned` one is not defined anywhere."""

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tools.class_names import class_places
from tools.sources import ROOT, Source, read_sources, report

ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<status>\w+) \|(?: `(?P<module>[\w.]+)`)? *\|", re.MULTILINE)


@dataclass(frozen=True)
class Name:
    name: str
    status: str
    module: str | None


def read_names(text: str) -> list[Name]:
    return [Name(row["name"], row["status"], row["module"]) for row in ROW.finditer(text)]


def check_here(name: Name) -> Iterator[str]:
    if not name.module:
        yield f"{name.name} is here, but the table does not say where"
        return
    try:
        found = getattr(importlib.import_module(name.module), name.name, None)
    except ImportError as error:
        yield f"{name.name} is here, but {name.module} does not import: {error}"
        return
    if not isinstance(found, type):
        yield f"{name.name} is here, but {name.module} has no such class"


def check_planned(name: Name, defined: dict[str, list[str]]) -> Iterator[str]:
    if name.name in defined:
        yield f"{name.name} is planned, but {', '.join(defined[name.name])} defines it"


def check(names: list[Name], sources: list[Source]) -> list[str]:
    defined = class_places(sources)
    problems = [] if names else ["docs/names.md holds no table of names"]
    for name in names:
        if name.status == "here":
            problems += check_here(name)
        elif name.status == "planned":
            problems += check_planned(name, defined)
        else:
            problems.append(f"{name.name}: the status is here or planned, not {name.status}")
    return problems


def main() -> int:
    names = read_names((ROOT / "docs/names.md").read_text("utf-8"))
    here = sum(name.status == "here" for name in names)
    return report(check(names, read_sources()), f"{here} names here, {len(names) - here} planned")


if __name__ == "__main__":
    sys.exit(main())
