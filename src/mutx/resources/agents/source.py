"""Workloads that SPIFFE names after an agent, as a way to say who one is."""

import re
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agents import AgentStatus
from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.errors import PermissionDenied, Unauthenticated
from mutx.resources.agents.models import AgentRow
from mutx.resources.auth.directory import require_verified
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import active_member
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.sources import Verified
from mutx.services.spiffe_identity.svids import SvidVerifier
from mutx.storage.engine import Database
from mutx.web.access import AGENT_SCOPES

METHOD = "spiffe"
PLACE = "{agent_id}"


class SpiffeSource:
    """JWT-SVIDs whose path names an agent of ours. Implements `IdentitySource`.

    The workload acts as that agent and for whoever made it, as the agent's own key would.
    """

    methods = frozenset({METHOD})

    def __init__(self, database: Database, auth: Authentication, svids: SvidVerifier, path: str) -> None:
        """`path`: of an agent's SPIFFE ID, with `{agent_id}` in the id's place."""
        self._database = database
        self._auth = auth
        self._svids = svids
        before, _, after = path.partition(PLACE)
        self._path = re.compile(f"{re.escape(before)}([0-9a-fA-F-]{{36}}){re.escape(after)}")

    def recognises(self, credential: str) -> bool:
        return self._svids.recognises(credential)

    async def verify(self, credential: str) -> Verified:
        workload = await self._svids.verify(credential)
        caller = await self._found(workload.spiffe_id, workload.path)
        if caller is None:
            raise Unauthenticated("no agent here has this SPIFFE ID; register it and use its id in the path")
        return Verified(caller, workload.expires_at)

    async def current(self, caller: Caller) -> Caller | None:
        path = self._svids.path_of(caller.principal_id)
        try:
            return None if path is None else await self._found(caller.principal_id, path)
        except PermissionDenied:
            return None

    def close(self) -> None:
        self._svids.close()

    async def _found(self, spiffe_id: str, path: str) -> Caller | None:
        named = self._path.fullmatch(path)
        if named is None:
            return None
        try:
            agent_id = str(UUID(named[1]))
        except ValueError:
            return None
        async with self._database.read() as session:
            return await self._agent(session, spiffe_id, agent_id)

    async def _agent(self, session: AsyncSession, spiffe_id: str, agent_id: str) -> Caller | None:
        """Raises PermissionDenied while its maker has to prove their address."""
        agent = await session.get(AgentRow, agent_id)
        if agent is None or agent.status == AgentStatus.DELETING:
            return None
        if await active_member(session, agent.user_id, agent.workspace_id) is None:
            return None
        owner = await session.get_one(UserRow, agent.user_id)
        require_verified(owner, wanted=self._auth.rules.verified_email)
        return Caller(
            workspace_id=agent.workspace_id,
            principal_id=spiffe_id,
            kind=PrincipalKind.AGENT,
            door=Door.HTTP,
            user_id=agent.user_id,
            agent_id=agent.id,
            scopes=AGENT_SCOPES,
            method=METHOD,
            email=owner.email,
        )
