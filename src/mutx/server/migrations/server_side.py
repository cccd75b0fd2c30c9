"""What lies on a PostgreSQL server beside the tables: the ledger's types and functions, and a trigger.

The migration that wrote them last says what they are. None of it holds data: what is missing is made again, and what reads
otherwise is replaced, unless its shape is another one; that is left to a person, because others may use it as it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from mutx.server.migrations.run import configuration

WRITTEN_BY = "0027"
"""The newest revision that writes any of them."""

TYPES = """SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'c' AND c.relnamespace = current_schema()::regnamespace GROUP BY c.relname"""
FUNCTIONS = """SELECT proname, pg_get_function_arguments(oid), proconfig, prosrc FROM pg_proc
    WHERE prokind = 'f' AND pronamespace = current_schema()::regnamespace"""
TRIGGER = """SELECT pg_get_triggerdef(oid, true), tgenabled::text FROM pg_trigger
    WHERE tgrelid = to_regclass('outbox') AND tgname = 'outbox_numbered'"""

ENABLED = "O"


class ServerSide(NamedTuple):
    """What is not as declared, and the statements that make it so; none where a person must."""

    what: str
    remedy: tuple[str, ...]

    def make(self, connection: Connection) -> bool:
        for statement in self.remedy:
            connection.execute(text(statement))
        return bool(self.remedy)


class FunctionShape(NamedTuple):
    """A function as the server tells it."""

    arguments: str
    settings: tuple[str, ...]
    body: str


def server_side(connection: Connection) -> Iterator[ServerSide]:
    """What differs, in the order in which it can be mended; nothing on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    written = _written()
    yield from _types(connection, written.TYPES)
    functions = {"ledger_append": written.with_names(written.APPEND), "outbox_numbered": written.NUMBERED}
    yield from _functions(connection, functions)
    yield from _trigger(connection, written.NUMBERED_FIRST)


def _written() -> Any:
    revision = ScriptDirectory.from_config(configuration()).get_revision(WRITTEN_BY)
    assert revision is not None
    return revision.module


def _types(connection: Connection, declared: Mapping[str, str]) -> Iterator[ServerSide]:
    there = {row[0]: row[1] for row in connection.execute(text(TYPES))}
    for name, columns in declared.items():
        if name not in there:
            yield ServerSide(f"type {name} is missing", (f"CREATE TYPE {name} AS ({columns})",))
        elif there[name] != _flat(columns):
            yield ServerSide(f"type {name} is not as declared", ())


def _functions(connection: Connection, declared: Mapping[str, str]) -> Iterator[ServerSide]:
    rows = connection.execute(text(FUNCTIONS)).all()
    for name, statement in declared.items():
        wanted = _shape(statement)
        there = [FunctionShape(row[1], tuple(row[2] or ()), row[3]) for row in rows if row[0] == name]
        if not there:
            yield ServerSide(f"function {name} is missing", (statement,))
        elif there != [wanted]:
            same = [each.arguments for each in there] == [wanted.arguments]
            replaced = (statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1),)
            yield ServerSide(f"function {name} is not as declared", replaced if same else ())


def _trigger(connection: Connection, statement: str) -> Iterator[ServerSide]:
    there = connection.execute(text(TRIGGER)).first()
    if there is None:
        yield ServerSide("trigger outbox_numbered is missing", (statement,))
    elif tuple(there) != (_flat(statement), ENABLED):
        anew = ("DROP TRIGGER outbox_numbered ON outbox", statement)
        yield ServerSide("trigger outbox_numbered is not as declared", anew)


def _shape(statement: str) -> FunctionShape:
    head, body, _ = re.split(r"\$[a-z]+\$", statement)
    arguments = head.partition("(")[2].rpartition(")")[0]
    settings = tuple(f"{name}={value}" for name, value in re.findall(r"SET (\w+) = (\w+)", head))
    return FunctionShape(_flat(arguments), settings, body)


def _flat(declared: str) -> str:
    return " ".join(declared.split())
