"""The native governor: Faramesh's socket protocol over this product's verbs, so that its clients work unchanged.

They find it by FARAMESH_SOCKET. Callers are known as at our own socket (`peers`); a `principal_token`, if one is sent, must be
a credential of ours. Of the protocol's other requests none is served: what needs an administrator has a REST route.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.types import Caller, Door
from mutx.kit.errors import InputError, MutxError, NotFound, PermissionDenied, PermitRefused, TooLarge
from mutx.server.doors import faramesh_wire as wire
from mutx.server.doors.failing import FailClosed
from mutx.server.doors.faramesh_wire import Json, Request
from mutx.server.doors.lines import MAX_LINE, LineSocket, Peer
from mutx.server.doors.peers import KnownPeers
from mutx.server.doors.uds import parsed
from mutx.server.doors.verbs import Verbs
from mutx.web.access import require

FAIL_CLOSED = FailClosed("faramesh")

Answer = Callable[[Request, Caller, Peer], Awaitable[Json]]


class FarameshDoor(LineSocket):
    def __init__(self, path: Path, verbs: Verbs, pipeline: GovernancePipeline, peers: KnownPeers) -> None:
        too_long = wire.failed(None, TooLarge(f"a request may have at most {MAX_LINE} bytes"))
        super().__init__(path, self._serve, msgspec.json.encode(too_long))
        self._verbs = verbs
        self._pipeline = pipeline
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
                return msgspec.json.encode(wire.done(request, await answer(request, _as_agent(request, caller), peer)))
        except MutxError as error:
            return msgspec.json.encode(wire.failed(request, error))

    async def _govern(self, request: Request, caller: Caller, peer: Peer) -> Json:
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = wire.call_of(request, str(caller.agent_id), self._peers.session_of(peer))
        answer = await self._verbs.call("decide", body, caller)
        said = wire.verdict(request, answer, loop.time() - began)
        if answer["effect"] != "modify":
            return said
        if answer["outcome"] is None:
            error = "the client cannot take modified arguments; nothing was run"
            outcome = {"action_id": answer["action_id"], "status": "error", "error": error}
            await self._verbs.call("conclude", outcome, caller)
        return wire.cannot_modify(said)

    async def _poll(self, request: Request, caller: Caller, peer: Peer) -> Json:
        """An approval is told once: whoever hears `approved` runs the call, and nobody may run it twice."""
        token = request.text("defer_token")
        try:
            answer = await self._verbs.call("status", {"action_id": token}, caller)
        except NotFound:
            return {"defer_token": token, "status": wire.UNKNOWN}
        return {"defer_token": token, "status": await self._standing(answer, caller), "reason": answer["reason"]}

    async def _standing(self, answer: Json, caller: Caller) -> str:
        if answer["decision"] == "defer":
            return wire.PENDING
        if answer["effect"] == "deny":
            return wire.EXPIRED if answer["reason_code"] == "approval_expired" else wire.DENIED
        try:
            require(caller, "governance:act")
            await self._pipeline.claim(answer["action_id"], caller)
        except PermitRefused:
            return wire.DENIED if answer["effect"] == "modify" else wire.EXPIRED
        return wire.APPROVED

    async def _status(self, request: Request, caller: Caller, peer: Peer) -> Json:
        return {"status": "ok", "governor": "mutx", "agent_id": caller.agent_id}


def _as_agent(request: Request, caller: Caller) -> Caller:
    """The caller as the one agent that it speaks for: its own, or the one it names. Raises PermissionDenied, InputError."""
    named = request.text("agent_id")
    if caller.agent_id is None:
        if not named and request.kind != wire.STATUS:
            raise InputError("name the `agent_id`")
        return replace(caller, agent_id=named or None)
    if named and named != caller.agent_id:
        raise PermissionDenied("this process is another agent; set FARAMESH_AGENT_ID to its own id, or leave it out")
    return caller
