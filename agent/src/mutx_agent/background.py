"""Blocking work beside an event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run `function` in a thread of its own and await it, context variables included.

    Not `asyncio.to_thread`: its pool is small, and a few calls that wait minutes for a person would hold up every
    other decision of the process. A cancelled await leaves the thread to end by itself; it never holds up exit.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = function(*args)
        except BaseException as raised:  # noqa: BLE001 - carried to the awaiting task
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="mutx-call", daemon=True).start()
    return await answer


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)
