"""Who is acting, carried by a context variable: coroutines and `asyncio.to_thread` inherit it, `carry` hands it to threads."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Scope(NamedTuple):
    """The session a call belongs to and the action it was made in. None: not said here, ask the configuration."""

    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    original_request: str | None = None
    stated_intent: str | None = None
    parent_action_id: str | None = None
    claim: Any = None
    """Of adapters: the call that a hook further out has decided (adapters._common.Claim)."""
    governor: Any = None
    """Of proofs: who decides here instead of whoever governs the process."""
    delegation: str | None = None
    """The token under which the calls are made."""


CURRENT: ContextVar[Scope] = ContextVar("mutx_scope", default=Scope())  # noqa: B039 - a NamedTuple is immutable


def carry(function: Callable[..., T]) -> Callable[..., T]:
    """`function`, bound to the scope of this moment, for a thread that runs it later."""
    scope = CURRENT.get()

    @wraps(function)
    def carried(*args: Any, **kwargs: Any) -> T:
        token = CURRENT.set(scope)
        try:
            return function(*args, **kwargs)
        finally:
            CURRENT.reset(token)

    return carried
