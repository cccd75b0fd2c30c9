"""Tools that answer in parts: decided before the first, concluded after the last."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, Step, ToolUse, failing_closed
from mutx_agent.scope import CURRENT
from mutx_agent.transport.base import Json
from mutx_agent.wrap import STREAM_ITEMS


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
        with _inside(step):
            items = execute(step.action.args if step.action.permission.modified else None)
        async for item in _apart(step, items):
            yield item


async def aconcluding(action: GovernedAction, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The parts of a tool that has been allowed to run; `action` ends with them."""
    async with _Running(action):
        async for item in _apart(Step(action), items):
            yield item


def concluding(action: GovernedAction, items: Iterator[Any]) -> Iterator[Any]:
    """The same for parts that are not waited for."""
    action.result, step = [], Step(action)
    with _Running(action):
        while True:
            with _inside(step):
                try:
                    item = next(items)
                except StopIteration:
                    break
            _keep(action.result, item)
            yield item


async def _apart(step: Step, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """What the tool itself runs counts as the action's, what the reader of its parts runs does not."""
    kept: list[Any] = []
    if step.action is not None:
        step.action.result = kept
    while True:
        with _inside(step):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                break
        _keep(kept, item)
        yield item


class _Running:
    """The rest of an action that has begun: reports how it ends."""

    def __init__(self, action: GovernedAction) -> None:
        self._action = action

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._action.end(error)

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        await self._action.aend(error)


def _keep(taken: list[Any], item: Any) -> None:
    if len(taken) < STREAM_ITEMS:
        taken.append(item)


@contextmanager
def _inside(step: Step) -> Iterator[None]:
    """One run of the tool's own code between two parts; the caller's code, which runs after each, is outside."""
    if step.action is None:
        yield
        return
    scope = CURRENT.get()
    token = CURRENT.set(scope._replace(claim=step.claim, parent_action_id=step.action.action_id))
    try:
        yield
    finally:
        CURRENT.reset(token)
