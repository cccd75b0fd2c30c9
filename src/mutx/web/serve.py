"""Bind a FastAPI handler to a contract operation, and refuse at import one that disagrees with it."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.datastructures import Default
from fastapi.params import Depends as DependsMarker
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse, Response

from mutx.contract.operation import Operation
from mutx.web.access import require
from mutx.web.given import given

H = TypeVar("H", bound=Callable[..., Any])

CREDENTIALS: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]
"""OpenAPI: either of them."""


def serve(router: APIRouter, operation: Operation[Any, Any]) -> Callable[[H], H]:
    """Register `handler` for `operation`. Raises TypeError if names, annotations, defaults or the answer differ."""

    def bind(handler: H) -> H:
        _refuse_drift(operation, handler)
        summary, _, description = operation.doc.partition("\n")
        router.add_api_route(
            operation.url,
            handler if operation.public or operation.stream else given(handler),
            methods=[operation.method],
            operation_id=operation.name,
            name=operation.name,
            status_code=operation.status,
            response_class=_response_class(operation),
            **({} if operation.stream else {"response_model": operation.returns}),
            summary=summary.rstrip("."),
            description=description.strip(),
            tags=[operation.family.replace("_", "-")],
            route_class_override=None if operation.public else ScopedRoute,
            responses={"default": {}},  # `server.openapi` puts the errors of `web.answers` in its place
            openapi_extra={"x-scope": operation.scope, "security": [] if operation.public else CREDENTIALS},
        )
        return handler

    return bind


class ScopedRoute(APIRoute):
    """Served to callers who hold its `x-scope`. Others are refused before their parameters and body are looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Raises KeyError for a route without a scope, at import."""
        serve_it, scope = super().get_route_handler(), (self.openapi_extra or {})["x-scope"]

        async def serve_holders(request: Request) -> Response:
            if refused := request.scope.get("mutx.refused"):
                raise refused
            require(request.scope.get("mutx.caller"), scope)
            return await serve_it(request)

        return serve_holders


def _response_class(operation: Operation[Any, Any]) -> Any:
    if operation.stream:
        return EventSourceResponse
    if operation.media_type == "application/json":
        # Named as the default, FastAPI writes JSON straight from the model; named outright it would go through a dict.
        return Default(JSONResponse) if operation.status != 204 else Response
    return type("TextAnswer", (Response,), {"media_type": operation.media_type})


def _refuse_drift(operation: Operation[Any, Any], handler: Callable[..., Any]) -> None:
    hints = get_type_hints(handler, include_extras=True)
    parameters = inspect.signature(handler).parameters
    for name, declared in operation.parameters.items():
        if name not in parameters:
            raise TypeError(f"{operation.name}: the handler lacks {name!r}")
        if hints.get(name) != declared.annotation:
            raise TypeError(f"{operation.name}: {name!r} is {hints.get(name)}, the contract says {declared.annotation}")
        if parameters[name].default != declared.default:
            raise TypeError(f"{operation.name}: {name!r} has another default than the contract")
    for name in parameters.keys() - operation.parameters.keys():
        if not _is_dependency(hints.get(name)):
            raise TypeError(f"{operation.name}: {name!r} is neither in the contract nor a dependency")
    if not _same_answer(operation, hints.get("return")):
        raise TypeError(f"{operation.name}: answers {hints.get('return')}, the contract says {operation.returns}")


def _is_dependency(annotation: Any) -> bool:
    if annotation is Request:
        return True
    return get_origin(annotation) is Annotated and any(isinstance(a, DependsMarker) for a in get_args(annotation))


def _same_answer(operation: Operation[Any, Any], annotation: Any) -> bool:
    if not operation.stream:
        return bool((None if annotation is type(None) else annotation) == operation.returns)
    items = (operation.returns, ServerSentEvent)
    return get_origin(annotation) is AsyncIterator and get_args(annotation)[0] in items
