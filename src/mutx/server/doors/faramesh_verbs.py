"""What Faramesh's clients ask, over the verbs of this product; the same at the socket and over HTTP."""

import asyncio

from msgspec.structs import replace

from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.types import Caller
from mutx.kit.errors import InputError, NotFound, PermissionDenied, PermitRefused
from mutx.server.doors import faramesh_wire as wire
from mutx.server.doors.faramesh_wire import Json, Request
from mutx.server.doors.verbs import Verbs
from mutx.web.access import require


class FarameshVerbs:
    def __init__(self, verbs: Verbs, pipeline: GovernancePipeline) -> None:
        self._verbs = verbs
        self._pipeline = pipeline

    async def govern(self, request: Request, caller: Caller, session_id: str) -> Json:
        """`session_id`: where it names none. Its action's hash stands beside what clients know. Raises MutxError."""
        caller = as_agent(request, caller)
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._verbs.call("decide", wire.call_of(request, str(caller.agent_id), session_id), caller)
        said = wire.verdict(request, answer, loop.time() - began)
        if answer["effect"] != "modify":
            return said
        if answer["outcome"] is None:
            error = "the client cannot take modified arguments; nothing was run"
            outcome = {"action_id": answer["action_id"], "status": "error", "error": error}
            await self._verbs.call("conclude", outcome, caller)
        return wire.cannot_modify(said)

    async def poll(self, request: Request, caller: Caller) -> Json:
        """An approval is told once: whoever hears `approved` runs the call, and nobody may run it twice."""
        caller, token = as_agent(request, caller), request.text("defer_token")
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


def as_agent(request: Request, caller: Caller) -> Caller:
    """The caller as the one agent that it speaks for: its own, or the one it names. Raises PermissionDenied, InputError."""
    named = request.text("agent_id")
    if caller.agent_id is None:
        if not named:
            raise InputError("name the `agent_id`")
        return replace(caller, agent_id=named)
    if named and named != caller.agent_id:
        raise PermissionDenied("this process is another agent; set FARAMESH_AGENT_ID to its own id, or leave it out")
    return caller
