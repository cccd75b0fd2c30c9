"""Threads that start inside a scope belong to it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar

from mutx_agent.scope import carry

T = TypeVar("T")


def carry_into_threads() -> None:
    """Make threads and thread pools inherit the scope, as coroutines and `asyncio.to_thread` do by themselves.

    Without this a tool that spreads its work over a pool would fall out of its session, and what the session has
    read would no longer count. (Python hands context variables to threads only from 3.14 on, and there by a flag.)
    Only MUTX's own variable is carried. A second call does nothing.
    """
    if getattr(ThreadPoolExecutor.submit, "carries_scope", False):
        return
    plain_submit, plain_start = ThreadPoolExecutor.submit, threading.Thread.start

    @wraps(plain_submit)  # type: ignore[arg-type]
    def submit(self: ThreadPoolExecutor, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        # Always, also outside any scope: the pool's thread may have been started inside one.
        return plain_submit(self, carry(fn), *args, **kwargs)

    @wraps(plain_start)
    def start(self: threading.Thread) -> None:
        self.run = carry(self.run)  # type: ignore[method-assign]
        plain_start(self)

    submit.carries_scope = True  # type: ignore[attr-defined]
    ThreadPoolExecutor.submit = submit  # type: ignore[method-assign,assignment]
    threading.Thread.start = start  # type: ignore[method-assign]
