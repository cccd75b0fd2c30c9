"""Answers for people (tables) and for programs (JSON, one value per line)."""

import sys
from collections.abc import Iterable, Mapping, Sequence
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
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    _console().print(table)


def print_fields(value: Mapping[str, Any]) -> None:
    """One thing, a line per field."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, item in value.items():
        if item not in (None, "", [], {}):
            table.add_row(name.replace("_", " "), cell(item))
    _console().print(table)


def _console() -> Console:
    """As wide as the terminal; in a pipe wide enough that ids stay on one line."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def cell(value: Any) -> Text:
    """One value as text; never read as rich markup, and without control characters that could drive a terminal."""
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
    else:
        plain = to_jsonable_python(value)
        text = "" if plain is None else plain if isinstance(plain, str) else str(plain)
    return Text(printable(text), style=COLOURS.get(text.lower(), ""))


def printable(text: str) -> str:
    """Agents choose much of what is shown here: control characters become visible instead of effective."""
    return "".join(sign if sign.isprintable() or sign == "\n" else f"\\x{ord(sign):02x}" for sign in text)
