"""The process that gets killed: it appends turns to a ledger as fast as it can and tells each one that was acknowledged."""

import asyncio
import random
from multiprocessing.connection import Connection
from pathlib import Path

from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Turn
from mutx.kit.clock import ManualClock
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.sqlite_database import SqliteDatabase
from tests.conformance.scribe import Scribe, charge

SESSIONS = 6


def run(path: Path, tell: Connection, seed: int) -> None:
    """Until killed."""
    asyncio.run(_append_forever(path, tell, random.Random(seed)))


async def _append_forever(path: Path, tell: Connection, chance: random.Random) -> None:
    database = SqliteDatabase(path)
    await database.start(create_tables)
    accumulator, clock = ContextAccumulator(), ManualClock()
    ledger = SqliteLedger(database, accumulator, clock)
    scribe = Scribe(ledger, accumulator, clock)

    def acknowledged(turn: Turn) -> None:
        tell.send_bytes(f"{turn.session_id} {turn.seq} {turn.receipt.id}".encode())

    async def live(session_id: str) -> None:
        while True:
            turn = await _step(scribe, session_id, chance)
            acknowledged(turn)
            if turn.decision.effect.runs:
                acknowledged(await scribe.conclude(turn, result="x" * chance.randrange(2000)))

    await asyncio.gather(*(live(f"s-{n}") for n in range(SESSIONS)))


async def _step(scribe: Scribe, session_id: str, chance: random.Random) -> Turn:
    if chance.random() < 0.05:
        turn, _ = await scribe.wait(session_id)
        return turn
    return await scribe.allow(
        session_id, charge(1, limit=10**9, key=f"rate:{session_id}"), text="y" * chance.randrange(3000)
    )
