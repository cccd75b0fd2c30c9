"""Supervised agents, as a way to say who one is: by the process one is, and by nothing that one could send."""

from sqlalchemy import select

from mutx.governance.types import Caller
from mutx.kit.errors import Unauthenticated
from mutx.resources.supervision.models import SupervisedAgentRow
from mutx.resources.workspaces.service import active_member
from mutx.services.identity.sources import Verified
from mutx.storage.engine import Database

SUPERVISED = "supervised"
"""Method of a caller that the kernel vouched for as a supervised agent's process."""


class SupervisedSource:
    """Implements `IdentitySource`; no credential is of its kind."""

    methods = frozenset({SUPERVISED})

    def __init__(self, database: Database) -> None:
        self._database = database

    def recognises(self, credential: str) -> bool:
        return False

    async def verify(self, credential: str) -> Verified:
        raise Unauthenticated("a supervised agent is known by its process; it sends no token")

    async def current(self, caller: Caller) -> Caller | None:
        """As long as it is supervised, and whoever started it is a member."""
        async with self._database.read() as session:
            row = SupervisedAgentRow
            mine = (row.workspace_id == caller.workspace_id, row.agent_id == caller.agent_id)
            known = await session.scalar(select(row.id).where(*mine))
            member = await active_member(session, caller.user_id, caller.workspace_id)
        return None if known is None or member is None else caller
