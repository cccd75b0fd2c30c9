"""Putting every stored secret under the newest key, so that an older one can be thrown away."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, select, update

from mutx.kit.clock import SystemClock
from mutx.kit.errors import InputError, SetupError
from mutx.server.database import open_database
from mutx.server.home import prepare
from mutx.server.migrations.run import upgrade
from mutx.server.secrets import SEALING_FILE, open_sealer, rotate_token_keys
from mutx.server.settings import Settings, read_settings
from mutx.server.tables import SEALED
from mutx.services.identity.keyfiles import load_or_create
from mutx.services.identity.sealing import Sealer, key_id_of, new_sealing_key, place
from mutx.services.signing.files import replace_durably
from mutx.storage.engine import Database

BATCH = 200


async def reseal(database: Database, sealer: Sealer) -> int:
    """How many values were under an older key. Goes on where an interrupted run stopped. Raises KeyUnusable."""
    return sum([await _column(database, sealer, table, column) for table, column in SEALED])


async def _column(database: Database, sealer: Sealer, table: Table, column: str) -> int:
    done, after = 0, ""
    while True:
        async with database.write() as session:
            query = select(table.c.id, table.c[column]).where(table.c.id > after, table.c[column].is_not(None))
            rows: Sequence[Any] = (await session.execute(query.order_by(table.c.id).limit(BATCH))).all()
            for row_id, sealed in rows:
                if sealer.is_current(sealed):
                    continue
                fresh = sealer.reseal(sealed, context=place(table.name, column, row_id))
                await session.execute(update(table).where(table.c.id == row_id).values({column: fresh}))
                done += 1
        if len(rows) < BATCH:
            return done
        after = rows[-1][0]


async def usage(database: Database) -> dict[str, int]:
    """Key id -> how many values are sealed under it."""
    found: dict[str, int] = {}
    async with database.read() as session:
        for table, column in SEALED:
            values = await session.stream_scalars(select(table.c[column]).where(table.c[column].is_not(None)))
            async for sealed in values:
                key_id = key_id_of(sealed)
                found[key_id] = found.get(key_id, 0) + 1
    return found


def rotate_key_file(settings: Settings) -> None:
    """Put a new key before those of the key file. Raises InputError where the keys come from the environment."""
    if settings.secret_encryption_key.get_secret_value():
        raise InputError(
            "the keys come from SECRET_ENCRYPTION_KEY: put a key of `mutx secrets new-key` before the one that is there,"
            " after a comma leave the old one, then run `mutx secrets reseal`"
        )
    path = settings.home / "keys" / SEALING_FILE
    older = load_or_create(path, lambda: new_sealing_key().encode()).decode("ascii")
    replace_durably(path, f"{new_sealing_key()}\n{older.strip()}\n".encode())


def forget_older_keys(settings: Settings) -> None:
    """Leave the newest key in the key file. Call it once nothing is sealed under the others."""
    path = settings.home / "keys" / SEALING_FILE
    newest = load_or_create(path, lambda: new_sealing_key().encode()).decode("ascii").split()[0]
    replace_durably(path, f"{newest}\n".encode())


def run(command: str) -> dict[str, Any]:
    """`status`, `reseal`, `rotate` or `rotate-tokens`, on the installation of the environment; what there is to tell.

    Raises SetupError, KeyUnusable, InputError.
    """
    settings = read_settings()
    prepare(settings.home)
    if command == "rotate":
        rotate_key_file(settings)
    return asyncio.run(_run(settings, command))


async def _run(settings: Settings, command: str) -> dict[str, Any]:
    sealer, database = open_sealer(settings), open_database(settings)
    await database.start(upgrade)
    try:
        if command == "rotate-tokens":
            return {"key_id": await rotate_token_keys(settings, database, sealer, SystemClock())}
        resealed = 0 if command == "status" else await reseal(database, sealer)
        used = await usage(database)
    finally:
        await database.stop()
    if missing := set(used) - set(sealer.key_ids):
        raise SetupError(f"secrets are sealed under keys that are not here: {', '.join(sorted(missing))}")
    if command == "rotate":
        forget_older_keys(settings)
    return {"key_id": sealer.key_id, "resealed": resealed, "used": used}
