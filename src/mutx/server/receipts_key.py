"""One key signs the receipts of one store, whichever home a process starts from.

The key lies in the home, its id in the store. Whoever starts first writes it there; who comes with another key is refused,
unless the key that stands there was rotated out in this home. Otherwise each replica would sign with a key of its own, and
the receipts of one would not verify against the published keys of another.
"""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.services.signing import load_ring, open_signer
from mutx.storage.engine import Database
from mutx.storage.installation import RECEIPTS, ReceiptsKeyRow, receipts_key
from mutx.storage.views import LedgerStore


async def open_receipts_key(
    settings: Settings, database: Database, ledger: LedgerStore, clock: Clock
) -> tuple[Signer, KeyRing]:
    """The home's key, which is the installation's; made only where the store knows of none and holds no receipt.

    Raises KeyUnusable, and SetupError where the store's receipts are signed with another key.
    """
    private, public = (settings.home / "keys" / name for name in ("receipts.pem", "receipts.jwks.json"))
    fresh = await _stored(database) is None and await ledger.is_empty()
    signer = open_signer(private, public, may_create=fresh, now=clock.now())
    ring = load_ring(public)
    known = await _stored(database) or await _written(database, signer.key_id, clock)
    if known != signer.key_id:
        old = ring.get(known)
        if old is None or (old.retired_at is None and old.revoked_at is None):
            raise SetupError(
                f"this database's receipts are signed with the key {known}, and {private} is another; copy receipts.pem "
                "and receipts.jwks.json from the keys folder of the home that signs (or from its backup) to there"
            )
        await _replaced(database, known, signer.key_id, clock)
    return signer, ring


async def _stored(database: Database) -> str | None:
    async with database.read() as session:
        return await receipts_key(session)


async def _written(database: Database, key_id: str, clock: Clock) -> str:
    """What stands there now: this key, or that of a replica that started at the same moment."""
    try:
        async with database.write() as session:
            session.add(ReceiptsKeyRow(id=RECEIPTS, key_id=key_id, since=to_datetime(clock.now())))
    except IntegrityError:
        return await _stored(database) or key_id
    return key_id


async def _replaced(database: Database, known: str, key_id: str, clock: Clock) -> None:
    async with database.write() as session:
        row = update(ReceiptsKeyRow).where(ReceiptsKeyRow.key_id == known)
        await session.execute(row.values(key_id=key_id, since=to_datetime(clock.now())))
