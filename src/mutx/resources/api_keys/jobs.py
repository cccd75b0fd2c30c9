"""What happens to keys beside requests."""

from mutx.resources.api_keys.service import write_uses
from mutx.services.identity.authentication import Authentication
from mutx.storage.engine import Database


async def record_key_uses(database: Database, auth: Authentication) -> None:
    """Write down when keys were last used, and tell the audit log. A worker calls it every few seconds, and at shutdown."""
    uses = auth.key_uses.fresh()
    if uses:
        async with database.write() as session:
            told = await write_uses(session, uses)
        auth.key_uses.written(uses, told)
