"""Where a database differs from the tables that the code declares, or a server from what its migrations left there, and
how to mend that.

What is missing can be made again; a column of another type, or one that is filled and nobody knows, is left to a person.
Tables and indexes that the code does not know are somebody else's business.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, Table, UniqueConstraint, func, insert, select

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict
from mutx.server.migrations.run import expect_newest, newest
from mutx.server.migrations.server_side import ServerSide, server_side
from mutx.server.tables import METADATA
from mutx.storage.schema_tables import repairs

NOT_OURS = {
    "remove_table",
    "remove_index",
    "remove_constraint",
    "remove_fk",
    "add_table_comment",
    "remove_table_comment",
}


class SchemaDifference(NamedTuple):
    """One thing that is not as declared. `change`: alembic's word for what would make it so."""

    change: str
    what: str
    subject: Any


def differences(connection: Connection) -> list[SchemaDifference]:
    """Everything that is not as declared, in the order in which it can be mended: what lies on the server comes last."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = [each for entry in compare_metadata(context, METADATA) for each in _read(entry)]
    beside = [SchemaDifference("server_side", each.what, each) for each in server_side(connection)]
    return sorted(found, key=lambda each: each.change != "add_table") + beside


def mend(connection: Connection, clock: Clock) -> list[str]:
    """Make what is missing, in the transaction of `connection`, and keep a record of it. Returns what was made.

    Raises Conflict, and then the transaction must be undone, where something is left that only a person can mend.
    """
    expect_newest(connection)
    operations = Operations(MigrationContext.configure(connection, opts={"render_as_batch": True}))
    mended = [each.what for each in differences(connection) if _make(connection, operations, each)]
    left = [each.what for each in differences(connection)]
    if left:
        raise Conflict(
            f"cannot be mended without losing what is there: {'; '.join(left)}; restore a backup, or change it by hand"
        )
    rows = [{"at": to_datetime(clock.now()), "revision": newest(), "mended": what[:512]} for what in mended]
    if rows:
        connection.execute(insert(repairs), rows)
    return mended


def repaired(connection: Connection) -> int:
    """How many things were ever mended here."""
    return connection.scalar(select(func.count()).select_from(repairs)) or 0


def _read(entry: Any) -> Iterator[SchemaDifference]:
    """Alembic gives tuples, and for a column that differs a list of them."""
    if isinstance(entry, list):
        for change, _, table, column, *_ in entry:
            yield SchemaDifference(
                change, f"column {table}.{column}: {change.removeprefix('modify_')} is not as declared", None
            )
    elif entry[0] == "add_column":
        _, _, table, column = entry
        yield SchemaDifference("add_column", f"column {table}.{column.name} is missing", (table, column))
    elif entry[0] == "remove_column":
        _, _, table, column = entry
        yield SchemaDifference("remove_column", f"column {table}.{column.name} is unknown", None)
    elif entry[0] not in NOT_OURS:
        subject = entry[1]
        kind = entry[0].removeprefix("add_")
        yield SchemaDifference(entry[0], f"{kind} {subject.name} is missing", subject)


def _make(connection: Connection, operations: Operations, difference: SchemaDifference) -> bool:
    subject = difference.subject
    match subject:
        case ServerSide():
            return subject.make(connection)
        case Table():
            subject.create(connection, checkfirst=True)
        case Index():
            subject.drop(connection, checkfirst=True)  # one of its name over other columns
            subject.create(connection, checkfirst=True)
        case UniqueConstraint():
            with operations.batch_alter_table(subject.table.name) as batch:
                batch.create_unique_constraint(str(subject.name), [column.name for column in subject.columns])
        case (str(table), Column() as column) if column.nullable or _is_empty(connection, table):
            with operations.batch_alter_table(table, recreate="auto" if column.nullable else "always") as batch:
                batch.add_column(column)
        case _:
            return False
    return True


def _is_empty(connection: Connection, table: str) -> bool:
    return connection.execute(select(1).select_from(METADATA.tables[table]).limit(1)).first() is None
