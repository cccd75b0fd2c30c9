"""A tool's definition as a value with a name: what is pinned when a tool is pinned."""

import hashlib
from collections.abc import Iterator
from typing import Any

from mutx.kit.canonical import canonical
from mutx_agent.values import to_json

Json = dict[str, Any]

SEPARATOR = "__"
"""Between server and tool. Many models take no dot, slash or colon in a tool's name."""

MARK = "+"
"""Between server and uri: a scheme may hold it, and a server's name may not."""

MAX_DEFINITION = 64 * 1024
"""Bytes of one definition in canonical form; a longer one is not taken."""

FIELDS = ("name", "title", "description", "input_schema", "output_schema", "annotations")
"""All that a model, or a program that chooses for it, reads of a tool. Icons and metadata of transports are not pinned."""


def qualified(server: str, tool: str) -> str:
    """The name under which policies, receipts and the proxy's clients know a server's tool."""
    return f"{server}{SEPARATOR}{tool}"


def definition_of(fields: Json) -> Json:
    """The pinned part, as plain JSON; integers that RFC 8785 cannot write are described."""
    return {name: to_json(fields[name]) for name in FIELDS if fields.get(name) is not None}


def digest_of(definition: Json) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(definition)).hexdigest()


def size_of(definition: Json) -> int:
    return len(canonical(definition))


def texts_of(definition: Json) -> Iterator[tuple[str, str]]:
    """Every text in a definition, keys of schemas included, with the path it stands at."""
    waiting: list[tuple[str, Any]] = [(name, definition[name]) for name in reversed(FIELDS) if name in definition]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield path, name
                waiting.append((f"{path}.{name}", inner))
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", inner) for at, inner in enumerate(value)]
