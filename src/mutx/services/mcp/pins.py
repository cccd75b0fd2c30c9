"""What speaks against taking a tool's definition into use as it is. Pure: the caller says what is known."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mutx.services.mcp.definitions import MAX_DEFINITION, Json, size_of, texts_of
from mutx.services.mcp.scanning import TextScanner

NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""What the specification recommends for tool names, without the slash."""
MAX_REASONS = 10
MAX_REASON = 300
TELLING = 6
"""Characters from which on a name is not just a word that descriptions use anyway."""
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": None, "_": None, ".": None})


class KnownTool(NamedTuple):
    """A tool of which a definition is in use, or was."""

    server: str
    tool: str


def look(name: str) -> str:
    """What a name looks like at a glance: names that are alike in this are easily taken for one another."""
    return name.casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def concerns(server: str, definition: Json, known: Sequence[KnownTool], scanner: TextScanner) -> list[str]:
    """Why a definition that was not seen before is held back; empty if nothing speaks against it.

    `known`: the tools of the workspace that are in use or were.
    """
    found = [*_of_name(server, definition["name"], known), *_of_texts(server, definition, known, scanner)]
    return [reason[:MAX_REASON] for reason in dict.fromkeys(found)][:MAX_REASONS]


def _of_name(server: str, name: str, known: Sequence[KnownTool]) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield "its name has characters that tool names do not have"
    if any(one == (server, name) for one in known):
        yield "its definition changed since it was pinned"
    for other in known:
        if other.tool == name and other.server != server:
            yield f"it shadows the tool of the same name of {other.server}"
        elif other.tool != name and look(other.tool) == look(name):
            yield f"its name looks like {other.tool} of {other.server}"


def _of_texts(server: str, definition: Json, known: Sequence[KnownTool], scanner: TextScanner) -> Iterator[str]:
    if size_of(definition) > MAX_DEFINITION:
        yield f"its definition is longer than {MAX_DEFINITION} bytes"
        return
    others = {one.tool for one in known if one.server != server and len(one.tool) >= TELLING and not one.tool.isalpha()}
    for path, text in texts_of(definition):
        for suspicion in scanner.scan(text):
            yield f"{path} {suspicion}"
        for name in others.intersection(re.findall(r"[\w.-]+", text)) if path != "name" else ():
            yield f"{path} speaks of {name}, a tool of another server"
