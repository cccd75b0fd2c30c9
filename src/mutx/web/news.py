"""What the audit trail hears of a slice: told in the same unit of work as the change itself."""

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.governance.types import Caller
from mutx.kit.ids import new_id
from mutx.storage.outbox import tell


async def tell_audit(session: AsyncSession, caller: Caller, at: float, event_type: str, **about: str) -> None:
    """`event_type` like `API_KEY_CREATED`; `about` says of what, in texts, and never holds a secret. `at`: seconds."""
    payload = {
        "event_type": event_type,
        "actor_type": caller.kind.value,
        "actor_id": caller.principal_id,
        "user_id": caller.user_id,
        "news_id": new_id(),  # the same may happen twice in one moment, and both are told
        **about,
    }
    topic = f"audit.{event_type.partition('_')[0].lower()}"
    await tell(session, [Event(topic=topic, workspace_id=caller.workspace_id, at=at, payload=payload)])
