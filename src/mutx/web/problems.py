"""Errors on their way out: one table of statuses, one body, and the handlers that use them."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from mutx.kit import errors
from mutx.kit.clock import SystemClock, rfc3339
from mutx.kit.errors import MutxError

log = structlog.stdlib.get_logger("mutx.web")

STATUS: Mapping[type[MutxError], int] = {
    errors.InputError: 422,
    errors.MalformedBody: 400,
    errors.TooLarge: 413,
    errors.RequestTooSlow: 408,
    errors.AuthError: 401,
    errors.PermissionDenied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.VerificationFailed: 422,
    errors.VerificationIncomplete: 422,
    errors.LedgerConflict: 503,
    MutxError: 500,
}
"""The nearest class above an error counts."""

FRAMEWORK: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "there is nothing at this address; /docs lists what there is"),
    405: ("method_not_allowed", "this address does not take that method; /docs lists what it takes"),
}
"""Answers of the router itself: code and message."""

INTERNAL = "something went wrong on the server; the log has it under this request id"


def status_of(error: MutxError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def request_id_of(scope: Scope) -> str:
    """The id that the request-id middleware gave this request."""
    return str(scope.get("mutx.request_id", ""))


def problem(code: str, message: str, details: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """The body of every error: `contract.base.Problem`."""
    now = rfc3339(SystemClock().now())
    named = {"request_id": request_id, "timestamp": now, "detail": message}
    return {"code": code, "message": message, "details": details, **named}


def problem_of(error: MutxError, request_id: str) -> dict[str, Any]:
    return problem(error.code, str(error), error.details, request_id)


def headers_of(error: MutxError) -> dict[str, str]:
    if isinstance(error, errors.AuthError) and not isinstance(error, errors.PermissionDenied):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, errors.RateLimited | errors.Unavailable):
        return {"retry-after": str(error.details.get("retry_after_seconds", 1))}
    if isinstance(error, errors.TooLarge | errors.RequestTooSlow):
        return {"connection": "close"}
    return {}


def respond(scope: Scope, error: MutxError) -> JSONResponse:
    """The answer to an error, for middleware and doors that stand outside FastAPI's handlers."""
    return JSONResponse(problem_of(error, request_id_of(scope)), status_of(error), headers_of(error))


async def _mutx_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MutxError)
    if status_of(error) >= 500:
        log.warning("request failed", code=error.code, reason=str(error), exc_info=error)
    return respond(request.scope, error)


def _invalid(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where and what, never the value: it may be a password."""
    return [{"field": ".".join(map(str, e["loc"])), "code": e["type"], "message": e["msg"]} for e in found]


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    invalid = _invalid(error.errors())
    first = invalid[0] if invalid else {"field": "body", "message": "not valid"}
    details = {"errors": invalid}
    message = f"{first['field']}: {first['message']}"
    return JSONResponse(problem("invalid_input", message, details, request_id_of(request.scope)), 422)


async def _framework_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, message = FRAMEWORK.get(error.status_code, ("http_error", str(error.detail)))
    body = problem(code, message, {}, request_id_of(request.scope))
    return JSONResponse(body, error.status_code, dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    request_id = request_id_of(request.scope)
    log.error("unexpected error", request_id=request_id, error_type=type(error).__name__, exc_info=error)
    return JSONResponse(problem("internal_error", INTERNAL, {}, request_id), 500)


def install(app: FastAPI) -> None:
    """Let every error leave `app` as a problem."""
    app.add_exception_handler(MutxError, _mutx_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(Exception, _unexpected)
