"""One call of one tool in each framework, by the lowest function that the framework itself has for it.

`here`: the frameworks of the development environment; `apart`: those with environments of their own. Nothing in this
package imports a framework, or anything that is not in each of their environments, before it is measured.
"""

import time
from collections.abc import Awaitable, Callable, Coroutine
from types import MappingProxyType
from typing import Any

ARGUMENTS = MappingProxyType({"key": "note", "text": "a text of some length, as tools are given"})

Measure = Callable[[int], Coroutine[Any, Any, float]]
"""How many calls -> seconds per call."""


def put(key: str, text: str) -> str:
    """Write a note."""
    return key


def timed(count: int, call: Callable[[], object]) -> float:
    """Seconds per call, after one that is not counted."""
    call()
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count


async def atimed(count: int, call: Callable[[], Awaitable[object]]) -> float:
    """The same for calls that are awaited."""
    await call()
    started = time.perf_counter()
    for _ in range(count):
        await call()
    return (time.perf_counter() - started) / count
