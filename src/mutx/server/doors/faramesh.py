"""The native governor: Faramesh's socket protocol over this product's verbs, so that its clients work unchanged.

They find it by FARAMESH_SOCKET. Callers are known as at our own socket (`peers`); a `principal_token`, if one is sent, must be
a credential of ours. Of the protocol's other requests none is served: what needs an administrator has a REST route.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.types import Caller, Door
from mutx.kit.errors import InputError, MutxError, TooLarge
from mutx.server.doors import faramesh_wire as wire
from mutx.server.doors.failing import FailClosed
from mutx.server.doors.faramesh_verbs import FarameshVerbs
from mutx.server.doors.faramesh_wire import Json, Request
from mutx.server.doors.lines import MAX_LINE, LineSocket, Peer
from mutx.server.doors.peers import KnownPeers
from mutx.server.doors.uds import parsed
from mutx.server.doors.verbs import Verbs

FAIL_CLOSED = FailClosed("faramesh")

Answer = Callable[[Request, Caller, Peer], Awaitable[Json]]


class FarameshDoor(LineSocket):
    def __init__(self, path: Path, verbs: Verbs, pipeline: GovernancePipeline, peers: KnownPeers) -> None:
        too_long = wire.failed(None, TooLarge(f"a request may have at most {MAX_LINE} bytes"))
        super().__init__(path, self._serve, msgspec.json.encode(too_long))
        self._faramesh = FarameshVerbs(verbs, pipeline)
        self._peers = peers
        self._kinds: dict[str, Answer] = {wire.GOVERN: self._govern, wire.POLL: self._poll, wire.STATUS: self._status}

    async def _serve(self, line: bytes, peer: Peer) -> bytes:
        request: Request | None = None
        try:
            with FAIL_CLOSED:
                request = wire.read(parsed(line))
                answer = self._kinds.get(request.kind)
                if answer is None:
                    raise InputError(
                        f"this governor serves {', '.join(self._kinds)}; for the rest see /docs of its API"
                    )
                caller = await self._peers.caller(request.token, peer, Door.UDS)
                return msgspec.json.encode(wire.done(request, await answer(request, caller, peer)))
        except MutxError as error:
            return msgspec.json.encode(wire.failed(request, error))

    async def _govern(self, request: Request, caller: Caller, peer: Peer) -> Json:
        return await self._faramesh.govern(request, caller, self._peers.session_of(peer))

    async def _poll(self, request: Request, caller: Caller, peer: Peer) -> Json:
        return await self._faramesh.poll(request, caller)

    async def _status(self, request: Request, caller: Caller, peer: Peer) -> Json:
        return {"status": "ok", "governor": "mutx", "agent_id": caller.agent_id}
