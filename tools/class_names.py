"""A class name means one thing: it is unique within the `mutx` package."""

import ast
import sys
from collections import defaultdict

from tools.sources import Source, read_sources, report


def class_places(sources: list[Source]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{source.path}:{node.lineno}")
    return places


def check(sources: list[Source]) -> list[str]:
    return [
        f"class {name} is defined {len(found)} times: {', '.join(found)}"
        for name, found in sorted(class_places(sources).items())
        if len(found) > 1
    ]


def main() -> int:
    sources = read_sources(packages=("src/mutx",))
    return report(check(sources), f"{len(class_places(sources))} class names, each unique")


if __name__ == "__main__":
    sys.exit(main())
