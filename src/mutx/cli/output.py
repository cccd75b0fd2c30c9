"""Answers for people (tables) and for programs (JSON, one value per line)."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import click
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mutx.cli.state import CliState

COLUMNS = 7
"""Columns of a table that nobody designed by hand."""

PIPE_WIDTH = 240

WORD = 40
"""Characters up to which items of a list stand side by side."""

COLOURS = {
    "allow": "green",
    "approved": "green",
    "healthy": "green",
    "modify": "cyan",
    "step_up": "yellow",
    "defer": "yellow",
    "pending": "yellow",
    "deny": "red",
    "denied": "red",
    "rejected": "red",
    "unhealthy": "red",
}


def show(state: CliState, value: Any) -> None:
    """Any contract value."""
    if state.as_json:
        state.emit_json(to_jsonable_python(value))
    elif value is None:
        click.echo("done")
    elif isinstance(value, str):
        click.echo(value, nl=not value.endswith("\n"))
    elif isinstance(value, list):
        print_rows(value)
    elif isinstance(value, BaseModel) and _items(value) is not None:
        print_rows(_items(value) or [])
    else:
        print_fields(to_jsonable_python(value))


def _items(value: BaseModel) -> list[Any] | None:
    """The list in an answer that is one, with counts around it."""
    fields = vars(value)
    lists = [item for item in fields.values() if isinstance(item, list)]
    rest = [item for item in fields.values() if isinstance(item, dict | BaseModel)]
    return lists[0] if len(lists) == 1 and not rest and ("total" in fields or len(fields) <= 3) else None


def print_rows(rows: Sequence[Any]) -> None:
    """A table of models or scalars: of the columns that hold single values and are not empty, the first ones."""
    if not rows:
        click.echo("none")
        return
    if not isinstance(rows[0], BaseModel):
        for row in rows:
            click.echo(str(to_jsonable_python(row)))
        return
    single = [name for name in type(rows[0]).model_fields if all(_single(getattr(row, name)) for row in rows)]
    told = [name for name in single if any(getattr(row, name) not in (None, "") for row in rows)]
    columns = (told or single)[:COLUMNS]
    print_table(columns, ([getattr(row, name) for name in columns] for row in rows))


def _single(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | Enum | UUID | datetime)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(_name(column), overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    _console().print(table)


def print_fields(value: Mapping[str, Any]) -> None:
    """One thing: a line per field, then a table for each list of things in it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    inside = list(_inside("", value))
    for name, item in inside:
        if not _is_rows(item):
            table.add_row(_name(name), cell(item))
    console = _console()
    if table.row_count:
        console.print(table)
    for name, item in inside:
        if _is_rows(item):
            console.print(Text("\n").append_text(_name(name)), style="bold")
            _print_mappings(item)


def _inside(before: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is inside of something stands under both names; things of single values only stay on a line."""
    for name, item in value.items():
        called = f"{before} {name}".lstrip()
        if isinstance(item, Mapping) and any(isinstance(one, Mapping | list) for one in item.values()):
            yield from _inside(called, item)
        elif item not in (None, "", [], {}):
            yield called, item


def _name(field: str) -> Text:
    """Names are as little to be trusted as values: arguments have the names that an agent gave them."""
    return Text(printable(field.replace("_", " ")))


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _print_mappings(rows: Sequence[Mapping[str, Any]]) -> None:
    """Of what has the same value in every row nothing is learnt: it is left out where there is something else."""
    names = list(dict.fromkeys(name for row in rows for name, item in row.items() if item not in (None, "", [], {})))
    told = [name for name in names if len(rows) == 1 or any(row.get(name) != rows[0].get(name) for row in rows)]
    columns = (told or names)[:COLUMNS]
    print_table(columns, ([row.get(name) for name in columns] for row in rows))


def _console() -> Console:
    """As wide as the terminal; in a pipe wide enough that ids stay on one line."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def cell(value: Any) -> Text:
    """One value as text; never read as rich markup, and without control characters that could drive a terminal."""
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else _plain(to_jsonable_python(value))
    return Text(printable(text), style=COLOURS.get(text.lower(), ""))


def _plain(value: Any) -> str:
    """Of JSON values: lists and objects of single values without brackets, deeper ones as they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        parts = [_plain(item) for item in value]
        return (", " if max(map(len, parts), default=0) <= WORD else "\n").join(parts)
    if isinstance(value, dict) and not any(isinstance(item, list | dict) for item in value.values()):
        return ", ".join(f"{name.replace('_', ' ')}: {_plain(item)}" for name, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def printable(text: str) -> str:
    """Agents choose much of what is shown here: control characters become visible instead of effective."""
    return "".join(sign if sign.isprintable() or sign == "\n" else f"\\x{ord(sign):02x}" for sign in text)
