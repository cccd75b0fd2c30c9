"""Who speaks at a socket: by a token, or by what the kernel says of the process at the other end.

A process of the server's own user acts as an agent of the local operator, and may name any agent of that workspace. One that
was started as a supervised agent, or by one, is that agent: in its workspace, in the name of whoever started it, and no other.
"""

import os
from collections.abc import Callable

from msgspec.structs import replace

from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.errors import Unauthenticated
from mutx.resources.supervision.source import SUPERVISED
from mutx.server.doors.lines import Peer
from mutx.server.identities import KnownIdentities
from mutx.services.faramesh_supervisor.processes import process
from mutx.services.faramesh_supervisor.supervisor import About
from mutx.web.access import AGENT_SCOPES


class KnownPeers:
    def __init__(
        self, identities: KnownIdentities, local: Caller | None, owner_of: Callable[[int], About | None]
    ) -> None:
        """`local`: who processes of the server's own user act for, or None to demand tokens. `owner_of`: a process number
        to the supervised agent it belongs to."""
        self._identities = identities
        self._local = local
        self._owner_of = owner_of

    async def caller(self, token: str | None, peer: Peer, door: Door) -> Caller:
        """Raises Unauthenticated."""
        if token is not None:
            return replace(await self._identities.authenticate(token), door=door)
        if peer.uid != os.getuid():
            raise Unauthenticated("send a token with each request; this socket does not know you by your process")
        if (about := self._owner_of(peer.pid)) is not None:
            return await self._identities.vouched(_supervised(about, door))
        if self._local is None:
            raise Unauthenticated("send a token with each request; this socket does not know you by your process")
        return await self._identities.vouched(replace(self._local, door=door))

    def session_of(self, peer: Peer) -> str:
        """The session that a process works in where it names none: one for each of its lives."""
        about = self._owner_of(peer.pid)
        if about is not None:
            return f"supervised-{about.launch_id}"
        found = process(peer.pid)
        return f"process-{peer.pid}-{found.started if found is not None else 'gone'}"


def _supervised(about: About, door: Door) -> Caller:
    return Caller(
        workspace_id=about.workspace_id,
        principal_id=about.launch_id,
        kind=PrincipalKind.AGENT,
        door=door,
        user_id=about.user_id,
        agent_id=about.agent_id,
        scopes=AGENT_SCOPES,
        method=SUPERVISED,
    )
