"""What handlers that only read are given, without FastAPI's resolution of it: that costs more than these three do."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast, get_type_hints

from fastapi import Request

from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession, caller_of, services

H = TypeVar("H", bound=Callable[..., Any])

REQUEST = "mutx_request"
"""The parameter by which FastAPI hands over the request where the handler does not ask for it."""


def given(handler: H) -> H:
    """`handler`, with caller, services and consistent view put in here. One that writes comes back as it is.

    FastAPI goes on resolving what else it asks for, and does that first: a request that is refused opens no view.
    """
    hints = get_type_hints(handler, include_extras=True)
    parameters = inspect.signature(handler).parameters
    names = {hints.get(name): name for name in parameters}
    if WriteSession in names or not names.keys() & {CurrentCaller, AppServices, ReadSession}:
        return handler
    caller, app, view = names.get(CurrentCaller), names.get(AppServices), names.get(ReadSession)
    asked = names.get(Request)

    @wraps(handler)
    async def reading(**values: Any) -> Any:
        request: Request = values.pop(REQUEST) if asked is None else values[asked]
        if caller is not None:
            values[caller] = caller_of(request)
        if app is not None:
            values[app] = services(request)
        if view is None:
            return await handler(**values)
        async with services(request).database.read() as session:
            return await handler(**values, **{view: session})

    left = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in parameters.items()
        if name not in (caller, app, view)
    ]
    if asked is None:
        left.append(inspect.Parameter(REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request))
    reading.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
    return cast(H, reading)
