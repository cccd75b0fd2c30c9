"""Tools that answer in parts: decided before the first, concluded after the last."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, Step, ToolUse, failing_closed
from mutx_agent.errors import ActionDenied
from mutx_agent.scope import CURRENT
from mutx_agent.transport.base import Json
from mutx_agent.wrap import STREAM_ITEMS

Wrap = Callable[[Any], Any]
"""Takes an iterator, asynchronous or not, and gives back one with the same parts."""


async def arun_stream(
    gate: Gate, describe: Callable[[], ToolUse], execute: Callable[[Json | None], AsyncIterator[Any]], hook: str = ""
) -> AsyncIterator[Any]:
    """Raises ActionDenied instead of a first item."""
    with failing_closed():
        step = gate.step(describe, hook)
    if step.action is None:
        async for item in execute(None):
            yield item
        return
    step.action.ambient = False
    async with step.action:
        with inside(step):
            items = execute(_changed(step.action))
        async for item in _apart(step, items):
            yield item


class PartsCall(NamedTuple):
    """A call of a tool that may answer in parts."""

    describe: Callable[[], ToolUse]
    execute: Callable[[Json | None], Any]
    """Gets the changed arguments, or None to run the call as it stands."""
    refuse: Callable[[ActionDenied], Any]
    conclude: Callable[[GovernedAction, Any, Wrap], Any]
    """Notes the whole answer, or wraps the iterator in it; returns what the caller gets."""


def run_parts(gate: Gate, call: PartsCall) -> Any:
    """`Gate.run` for tools that may answer in parts."""
    try:
        with failing_closed():
            step = gate.step(call.describe)
            if step.action is not None:
                step.action.begin()
        if step.action is None:
            return call.execute(None)
        with _Running(step) as running:
            with inside(step):
                answer = call.execute(_changed(step.action))
            return call.conclude(step.action, answer, running.rest)
    except ActionDenied as denial:
        return call.refuse(denial)


async def arun_parts(gate: Gate, call: PartsCall) -> Any:
    """The same without blocking the event loop; `execute` is awaited."""
    try:
        with failing_closed():
            step = gate.step(call.describe)
            if step.action is not None:
                await step.action.abegin()
        if step.action is None:
            return await call.execute(None)
        async with _Running(step) as running:
            with inside(step):
                answer = await call.execute(_changed(step.action))
            return call.conclude(step.action, answer, running.rest)
    except ActionDenied as denial:
        return call.refuse(denial)


class _Running:
    """An action that has begun. It ends with this block, or with the last part of the tool's answer."""

    def __init__(self, step: Step) -> None:
        self._step, self._action, self._goes_on = step, step.action, False

    def rest(self, items: Any) -> Any:
        """The parts of the answer; from now on the action ends with them."""
        self._goes_on = True
        return self._aparts(items) if isinstance(items, AsyncIterator) else self._parts(items)

    def _parts(self, items: Iterator[Any]) -> Iterator[Any]:
        kept = _kept(self._step)
        with _Running(self._step):
            while True:
                with inside(self._step):
                    try:
                        item = next(items)
                    except StopIteration:
                        break
                _keep(kept, item)
                yield item

    async def _aparts(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async with _Running(self._step):
            async for item in _apart(self._step, items):
                yield item

    def __enter__(self) -> "_Running":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._action is not None and not (self._goes_on and error is None):
            self._action.end(error)

    async def __aenter__(self) -> "_Running":
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._action is not None and not (self._goes_on and error is None):
            await self._action.aend(error)


async def _apart(step: Step, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """What the tool itself runs counts as the action's, what the reader of its parts runs does not."""
    kept = _kept(step)
    while True:
        with inside(step):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                break
        _keep(kept, item)
        yield item


def _changed(action: GovernedAction) -> Json | None:
    return action.args if action.permission.modified else None


def _kept(step: Step) -> list[Any]:
    kept: list[Any] = []
    if step.action is not None:
        step.action.result = kept
    return kept


def _keep(taken: list[Any], item: Any) -> None:
    if len(taken) < STREAM_ITEMS:
        taken.append(item)


@contextmanager
def inside(step: Step) -> Iterator[None]:
    """One run of the tool's own code between two parts; the caller's code, which runs after each, is outside."""
    if step.action is None:
        yield
        return
    action = step.action
    token = CURRENT.set(
        CURRENT.get()._replace(claim=step.claim, parent_action_id=action.action_id, session_id=action.session_id)
    )
    try:
        yield
    finally:
        CURRENT.reset(token)
