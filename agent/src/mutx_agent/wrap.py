"""Callables of every kind as governed callables of the same kind."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, update_wrapper
from typing import Any, NamedTuple, Protocol

from mutx_agent.action import GovernedAction
from mutx_agent.arguments import BoundCall, CallShape
from mutx_agent.errors import ActionDenied
from mutx_agent.transport.base import Json
from mutx_agent.values import CannotModify

STREAM_ITEMS = 1000
"""Items of a streaming tool's output that its receipt commits to."""


class CallOptions(NamedTuple):
    """What `@govern(...)` was given. None: from the session or the configuration."""

    tool: str | None = None
    operation: str | None = None
    session: str | None = None
    agent: str | None = None
    user: str | None = None
    service: str | None = None
    trigger: str | None = None
    stated_intent: str | None = None
    deadline: float | None = None


class ActionMaker(Protocol):
    def action(
        self, tool: str, args: Json, *, deadline: float | None = None, action_id: str | None = None, **fields: Any
    ) -> GovernedAction: ...


class Governed:
    """One callable under government: its name, its shape and what every call of it asks with."""

    def __init__(self, governor: ActionMaker, function: Callable[..., Any], options: CallOptions) -> None:
        # What a partial has bound already is part of every call, so policies see it like any other argument.
        inner = function if isinstance(function, partial) else partial(function)
        self._function, self._args, self._keywords = inner.func, inner.args, inner.keywords
        self._governor = governor
        self._options = options
        self._shape = CallShape(self._function)
        self._tool = options.tool or tool_name(self._function)

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[BoundCall, GovernedAction]:
        call = self._shape.bind(self._args + args, self._keywords | kwargs)
        options = self._options
        action = self._governor.action(
            self._tool,
            call.sent,
            deadline=options.deadline,
            operation=options.operation,
            session_id=options.session,
            agent_id=options.agent,
            user_id=options.user,
            service=options.service,
            trigger=options.trigger,
            stated_intent=options.stated_intent,
        )
        return call, action

    def start(self, call: BoundCall, action: GovernedAction) -> Any:
        """Call the function with the arguments that were allowed. Raises ActionDenied if they do not fit it."""
        try:
            args, kwargs = call.arguments(action.args)
        except CannotModify as error:
            raise ActionDenied(
                str(error),
                reason_code="cannot_modify",
                tool_name=action.tool_name,
                action_id=action.action_id,
                receipt_id=action.permission.receipt_id,
            ) from error
        return self._function(*args, **kwargs)


def tool_name(function: Callable[..., Any]) -> str:
    """What policies call it, unless it was given a name."""
    return getattr(function, "__name__", None) or type(function).__name__


def wrap(governor: ActionMaker, function: Any, options: CallOptions) -> Any:
    """A callable of the same kind that asks first. Raises TypeError for what cannot be governed."""
    if isinstance(function, staticmethod | classmethod):
        return type(function)(wrap(governor, function.__func__, options))
    if inspect.isclass(function) or not callable(function):
        raise TypeError(f"{function!r} cannot be governed: govern functions, methods or callable objects")
    governed = Governed(governor, function, options)
    called = function.func if isinstance(function, partial) else function
    if not inspect.isroutine(called):
        called = type(called).__call__
    if inspect.isasyncgenfunction(called):
        wrapper: Callable[..., Any] = _async_stream(governed)
    elif inspect.isgeneratorfunction(called):
        wrapper = _stream(governed)
    elif inspect.iscoroutinefunction(called):
        wrapper = _coroutine(governed)
    else:
        wrapper = _plain(governed)
    return update_wrapper(wrapper, function)


def _plain(governed: Governed) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        call, action = governed.prepare(args, kwargs)
        with action:
            result = governed.start(call, action)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                raise TypeError(f"{action.tool_name} returned an awaitable: govern the coroutine function itself")
            action.result = result
        return result

    return run


def _coroutine(governed: Governed) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        call, action = governed.prepare(args, kwargs)
        async with action:
            action.result = await governed.start(call, action)
        return action.result

    return run


def _stream(governed: Governed) -> Callable[..., Any]:
    """Decided before the first item; the receipt of the outcome commits to the items that were taken."""

    def run(*args: Any, **kwargs: Any) -> Iterator[Any]:
        call, action = governed.prepare(args, kwargs)
        action.ambient, action.result = False, []
        with action:
            with action.inside():
                items = governed.start(call, action)
            while True:
                with action.inside():
                    try:
                        item = next(items)
                    except StopIteration:
                        break
                if len(action.result) < STREAM_ITEMS:
                    action.result.append(item)
                yield item

    return run


def _async_stream(governed: Governed) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        call, action = governed.prepare(args, kwargs)
        action.ambient, action.result = False, []
        async with action:
            with action.inside():
                items = governed.start(call, action)
            while True:
                with action.inside():
                    try:
                        item = await anext(items)
                    except StopAsyncIteration:
                        break
                if len(action.result) < STREAM_ITEMS:
                    action.result.append(item)
                yield item

    return run
