"""What happens to keys beside requests."""

from mutx.resources.api_keys.service import write_last_used
from mutx.services.identity.authentication import Authentication
from mutx.storage.engine import Database


async def record_key_uses(database: Database, auth: Authentication) -> None:
    """Write down when keys were last used. A worker calls it every few seconds, and once at shutdown."""
    uses = dict(auth.key_uses)
    if not uses:
        return
    async with database.write() as session:
        await write_last_used(session, uses)
    for key_id, at in uses.items():
        if auth.key_uses.get(key_id) == at:
            del auth.key_uses[key_id]
