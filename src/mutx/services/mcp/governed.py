"""One governed request through the proxy: decided, its permit spent, run at the server, concluded with what came back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

import anyio
import structlog

from mutx.kit.ids import new_id
from mutx_agent.action import ERROR_LIMIT
from mutx_agent.errors import ActionDenied, DoorError, DoorRefused
from mutx_agent.flow import adrive, authorise, conclude
from mutx_agent.transport.base import Json, Transport
from mutx_agent.values import result_json, to_json

log = structlog.stdlib.get_logger("mutx.mcp")

RUNTIME = "mcp"
CONCLUDE_SECONDS = 15.0
"""For the last word about an action whose client has gone."""
DECLINED = "declined_to_wait"

Effect = Callable[[Json], Awaitable[Any]]
"""The arguments that were allowed -> what the server returned, as JSON."""
Notice = Callable[[Json], Awaitable[bool]]
"""Told of the decision that waits for a person. False: whoever was told does not want to wait."""


class Line(NamedTuple):
    """On whose behalf the proxy asks, and where."""

    transport: Transport
    agent_id: str
    session_id: str
    user_id: str | None = None
    deadline: float | None = None
    """Seconds to wait for people; None: as long as their request is open."""


class Asked(NamedTuple):
    """What is to be decided."""

    tool: str
    args: Json
    operation: str = "call"
    service: str | None = None


class RanRequest(NamedTuple):
    result: Any
    receipt_id: str
    recorded: bool
    """False: the outcome could not be reported; the action shows as `outcome unknown`."""


class WaitingTransport(Transport):
    """Lets somebody know that an action waits, and stops the wait when they decline."""

    def __init__(self, inner: Transport, notice: Notice) -> None:
        self._inner = inner
        self._notice = notice
        self._declined = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    def call(self, verb: str, body: Json) -> Json:
        return self._inner.call(verb, body)

    async def acall(self, verb: str, body: Json) -> Json:
        if verb == "wait":
            return await self._wait(body)
        answer = await self._inner.acall(verb, body)
        if verb == "decide" and answer.get("decision") == "defer":
            self._telling = asyncio.create_task(self._tell(answer))
        return answer

    async def over(self) -> None:
        """The wait has ended: nobody needs to be told any more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling])

    async def _tell(self, answer: Json) -> None:
        if not await self._notice(answer):
            self._declined.set()

    async def _wait(self, body: Json) -> Json:
        waiting = asyncio.ensure_future(self._inner.acall("wait", body))
        declined = asyncio.ensure_future(self._declined.wait())
        try:
            await asyncio.wait([waiting, declined], return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise DoorRefused(DECLINED, "whoever was asked at the client did not want to wait for an approval")
            return waiting.result()
        finally:
            declined.cancel()
            if not waiting.done():
                waiting.cancel()


async def govern(line: Line, asked: Asked, effect: Effect, notice: Notice) -> RanRequest:
    """Run `effect` if and only if it may run. Raises ActionDenied, and whatever `effect` raises."""
    call = _call(line, asked)
    transport = WaitingTransport(line.transport, notice)
    try:
        permission = await adrive(authorise(call, line.deadline, spend=True), transport)
    finally:
        with anyio.CancelScope(shield=True):
            await transport.over()
    async with OutcomeReport(line.transport, permission.action_id) as report:
        result = await effect(permission.args)
        report.outcome["result"] = result_json(result)
    return RanRequest(result, permission.receipt_id, report.recorded)


def _call(line: Line, asked: Asked) -> Json:
    call = {
        "tool_name": asked.tool,
        "tool_args": to_json(asked.args),
        "operation": asked.operation,
        "action_id": new_id(),
        "agent_id": line.agent_id,
        "session_id": line.session_id,
        "user_id": line.user_id,
        "service": asked.service,
        "runtime": RUNTIME,
    }
    return {name: value for name, value in call.items() if value is not None}


class OutcomeReport:
    """However the effect inside ends, also by cancellation, its outcome is reported."""

    def __init__(self, transport: Transport, action_id: str) -> None:
        self._transport = transport
        self._started = time.monotonic()
        self.outcome: Json = {"action_id": action_id, "status": "executed"}
        self.recorded = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            text = f"{kind.__name__}: {error}"[:ERROR_LIMIT]
            self.outcome |= {"status": "error", "error": text.encode("utf-8", "replace").decode()}
        self.outcome["duration_ms"] = round((time.monotonic() - self._started) * 1000)
        with anyio.CancelScope(shield=True), suppress(TimeoutError):
            async with asyncio.timeout(CONCLUDE_SECONDS):
                self.recorded = await _recorded(self._transport, self.outcome)


async def _recorded(transport: Transport, outcome: Json) -> bool:
    try:
        await adrive(conclude(outcome), transport)
    except DoorError as error:
        log.warning("an outcome was not recorded", action_id=outcome["action_id"], error=str(error))
        return False
    return True


def refusal_text(denied: ActionDenied) -> str:
    """Fit for a model to read, with the receipt for people."""
    receipt = f" Receipt: {denied.receipt_id}." if denied.receipt_id else ""
    return f"{denied}.{receipt} Do not try to get around this; tell the user."
