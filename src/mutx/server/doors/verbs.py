"""What is the same behind every door: a verb's name and a JSON body in, a JSON object out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mutx.contract.governance import MAX_BATCH
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.types import Caller
from mutx.kit.clock import Clock
from mutx.kit.errors import InputError, MutxError
from mutx.server.doors import wire
from mutx.storage.coordination import Bus
from mutx.web.access import require

Json = dict[str, Any]
Verb = Callable[[Any, Caller], Awaitable[Json]]

MAX_WAIT = 60.0
RECHECK = 5.0
"""Seconds after which a wait looks for itself, should a wake-up have been lost."""

SCOPES: Mapping[str, str] = {
    "decide": "governance:act",
    "conclude": "governance:act",
    "redeem": "governance:act",
    "resolve": "approvals:write",
    "status": "governance:read",
    "wait": "governance:read",
    "delegate": "governance:act",
}


class Verbs:
    """The pipeline's verbs on plain JSON objects, with the scope that each needs."""

    def __init__(
        self, pipeline: GovernancePipeline, bus: Bus, clock: Clock, more: Mapping[str, Verb] | None = None
    ) -> None:
        """`more`: verbs that are no pipeline's, by name."""
        self._pipeline = pipeline
        self._bus = bus
        self._clock = clock
        self._verbs: dict[str, Verb] = {
            "decide": self._decide,
            "conclude": self._conclude,
            "resolve": self._resolve,
            "redeem": self._redeem,
            "status": self._status,
            "wait": self._wait,
            **(more or {}),
        }

    async def call(self, verb: str, body: Any, caller: Caller) -> Json:
        """Run one verb. Raises MutxError."""
        run = self._verbs.get(verb)
        if run is None:
            raise InputError(f"no such verb; there are {', '.join(self._verbs)}")
        require(caller, SCOPES[verb])
        return await run(body, caller)

    async def batch(self, verb: str, body: Any, caller: Caller) -> Json:
        """Run a verb for each of `items`, in order; one item's error is that item's answer."""
        items = body.get("items") if isinstance(body, dict) and body.keys() == {"items"} else None
        if not isinstance(items, list) or len(items) > MAX_BATCH:
            raise InputError(f'a batch is {{"items": [...]}} with at most {MAX_BATCH} items')
        results: list[Json] = []
        for item in items:
            try:
                results.append({"ok": await self.call(verb, item, caller)})
            except MutxError as error:
                results.append({"error": {"code": error.code, "message": str(error), "details": error.details}})
        return {"results": results}

    async def _decide(self, body: Any, caller: Caller) -> Json:
        answer = await self._pipeline.decide(wire.read_call(body), caller)
        return wire.answer_to_wire(answer, self._clock.now())

    async def _conclude(self, body: Any, caller: Caller) -> Json:
        wanted = wire.read(body, wire.ConcludeBody)
        concluded = await self._pipeline.conclude(wanted.action_id, wire.read_outcome(wanted), caller)
        return wire.conclusion_to_wire(concluded)

    async def _resolve(self, body: Any, caller: Caller) -> Json:
        wanted = wire.read(body, wire.ResolveBody)
        answer = await self._pipeline.resolve(
            wanted.request_id, wanted.verdict, caller, comment=wanted.comment or "", grant=wanted.grant
        )
        return wire.answer_to_wire(answer, self._clock.now())

    async def _redeem(self, body: Any, caller: Caller) -> Json:
        wanted = wire.read(body, wire.RedeemBody)
        return wire.redemption_to_wire(await self._pipeline.redeem(wanted.permit, wanted.tool_args, caller))

    async def _status(self, body: Any, caller: Caller) -> Json:
        return await self._state(wire.read(body, wire.StatusBody).action_id, caller)

    async def _state(self, action_id: str, caller: Caller) -> Json:
        return wire.answer_to_wire(await self._pipeline.status(action_id, caller), self._clock.now())

    async def _wait(self, body: Any, caller: Caller) -> Json:
        wanted = wire.read(body, wire.WaitBody)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(max(wanted.timeout, 0.0), MAX_WAIT)
        async with self._bus.subscribe(f"action:{caller.workspace_id}:{wanted.action_id}") as news:
            while True:
                state = await self._state(wanted.action_id, caller)
                left = deadline - loop.time()
                if left <= 0 or state["decision"] != "defer":
                    return state
                await news.get(min(left, RECHECK))
