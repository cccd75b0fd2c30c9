"""One governed action as a context manager: entering asks and waits, leaving reports how it ended."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from types import TracebackType
from typing import Any

from mutx_agent.errors import DoorError, OutcomeNotRecorded
from mutx_agent.flow import Permission, adrive, authorise, conclude, drive
from mutx_agent.scope import CURRENT, Scope
from mutx_agent.transport.base import Json, Transport
from mutx_agent.values import result_json

ERROR_LIMIT = 2000
"""Characters of an error's text that are reported."""


class GovernedAction:
    """Use with `with` or `async with`. Inside: run the tool with `args`, then set `result`.

    Entering raises ActionDenied unless the call may run. What is raised inside is reported and raised on.
    """

    def __init__(self, transport: Transport, call: Json, deadline: float | None, on_unrecorded: str) -> None:
        self._transport = transport
        self._call = call
        self._deadline = deadline
        self._on_unrecorded = on_unrecorded
        self._permission: Permission | None = None
        self._outside: Token[Scope] | None = None
        self._started = 0.0
        self.ambient = True
        """False for streams, whose caller's code runs between the items: they use `inside` for each step."""
        self.result: Any = None
        self.error: str | None = None
        """Set it where the tool reports its failure without raising."""

    @property
    def action_id(self) -> str:
        action_id: str = self._call["action_id"]
        return action_id

    @property
    def session_id(self) -> str:
        session_id: str = self._call["session_id"]
        return session_id

    @property
    def tool_name(self) -> str:
        tool_name: str = self._call["tool_name"]
        return tool_name

    @property
    def permission(self) -> Permission:
        if self._permission is None:
            raise RuntimeError("the action has not been allowed yet: use it in a `with` statement")
        return self._permission

    @property
    def args(self) -> Json:
        """The arguments to run with: as sent, or as the policy changed them."""
        return self.permission.args

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The scope in which governed calls count as this action's children."""
        token = CURRENT.set(CURRENT.get()._replace(parent_action_id=self.action_id))
        try:
            yield
        finally:
            CURRENT.reset(token)

    def begin(self) -> None:
        """Ask, wait if people are asked, and return only with leave to run. Raises ActionDenied."""
        self._permission = drive(authorise(self._call, self._deadline), self._transport)
        self._started = time.monotonic()

    def end(self, raised: BaseException | None = None) -> None:
        """Report `result`, `error` or what was raised."""
        try:
            drive(conclude(self._outcome(raised)), self._transport)
        except DoorError as why:
            self._unrecorded(why)

    async def abegin(self) -> None:
        self._permission = await adrive(authorise(self._call, self._deadline), self._transport)
        self._started = time.monotonic()

    async def aend(self, raised: BaseException | None = None) -> None:
        try:
            await adrive(conclude(self._outcome(raised)), self._transport)
        except DoorError as why:
            self._unrecorded(why)

    def __enter__(self) -> "GovernedAction":
        self.begin()
        self._step_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._step_out()
        self.end(error)

    async def __aenter__(self) -> "GovernedAction":
        await self.abegin()
        self._step_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._step_out()
        await self.aend(error)

    def _step_in(self) -> None:
        if self.ambient:
            self._outside = CURRENT.set(CURRENT.get()._replace(parent_action_id=self.action_id))

    def _step_out(self) -> None:
        if self._outside is not None:
            CURRENT.reset(self._outside)
            self._outside = None

    def _outcome(self, raised: BaseException | None) -> Json:
        outcome: Json = {
            "action_id": self.action_id,
            "status": "executed",
            "duration_ms": round((time.monotonic() - self._started) * 1000),
        }
        stopped = raised is None or isinstance(raised, GeneratorExit)  # a stream whose reader had enough
        error = self.error if stopped else f"{type(raised).__name__}: {raised}"
        if error is None:
            outcome["result"] = result_json(self.result)
        else:
            outcome |= {"status": "error", "error": error[:ERROR_LIMIT].encode("utf-8", "replace").decode()}
        return outcome

    def _unrecorded(self, why: DoorError) -> None:
        news = OutcomeNotRecorded(self.action_id, str(why))
        if self._on_unrecorded == "raise":
            raise news from why
        warnings.warn(news, stacklevel=3)
