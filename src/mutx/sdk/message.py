"""Contract operations as HTTP requests, and responses as contract values or as the error the server meant."""

from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python

from mutx.contract.base import Problem
from mutx.contract.operation import BODY, Operation
from mutx.kit.errors import BY_CODE, InputError, MutxError, Unavailable

QueryValue = str | int | float


class Unreachable(Unavailable):
    """No answer came from the control plane."""

    code = "unreachable"


class OutgoingRequest(NamedTuple):
    """One request, ready to be sent."""

    method: str
    url: str
    params: dict[str, QueryValue]
    content: bytes | None


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


@cache
def _returns(op: Operation[Any, Any]) -> TypeAdapter[Any]:
    return TypeAdapter(op.returns)


def message(op: Operation[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> OutgoingRequest:
    """The request that calling `op` with these arguments means. Raises TypeError as a call would, InputError for values."""
    given = op.signature.bind(*args, **kwargs).arguments
    values = {name: _jsonable(op, name, value) for name, value in given.items() if value is not None and name != BODY}
    path = {name: quote(str(values.pop(name)), safe="") for name in op.path_parameters}
    body = given.get(BODY)
    return OutgoingRequest(op.method, op.url.format(**path), values, None if body is None else _body(op, body))


def _jsonable(op: Operation[Any, Any], name: str, value: Any) -> QueryValue:
    """A path or query value as the server reads it."""
    plain = to_jsonable_python(_checked(op, name, value))
    return str(plain).lower() if isinstance(plain, bool) else plain


def _body(op: Operation[Any, Any], body: Any) -> bytes:
    """The JSON of a body; plain dicts are checked against the contract first. Only fields that were set are sent."""
    checked = _checked(op, BODY, body)
    if hasattr(checked, "model_dump_json"):
        return str(checked.model_dump_json(exclude_unset=True)).encode()
    return to_json(checked)


def _checked(op: Operation[Any, Any], name: str, value: Any) -> Any:
    """The value as the contract has it. Raises InputError, as the server would."""
    try:
        return _adapter(op.parameters[name].annotation).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([name, *map(str, first["loc"])])
        raise InputError(f"{op.name}: {place}: {first['msg']}") from error


def answer(op: Operation[Any, Any], response: httpx2.Response) -> Any:
    """The value in a response that was read. Raises the error class that the server's code names."""
    if not response.is_success:
        raise problem(response)
    if op.returns is None or response.status_code == 204:
        return None
    if op.media_type != "application/json":
        return response.text
    return event(op, response.content)


def event(op: Operation[Any, Any], data: str | bytes) -> Any:
    try:
        return _returns(op).validate_json(data)
    except ValidationError as error:
        raise MutxError(
            f"{op.name}: the server's answer does not fit this client, which is older or newer: {error.errors()[0]['msg']}"
        ) from error


def problem(response: httpx2.Response) -> MutxError:
    """What an error response means. A body that is no problem of ours came from something between."""
    try:
        found = Problem.model_validate_json(response.content)
    except ValidationError:
        return Unreachable(f"HTTP {response.status_code} from {response.url.host}: not an answer of the control plane")
    details = found.details | ({"request_id": found.request_id} if found.request_id else {})
    if found.code in BY_CODE:
        return BY_CODE[found.code](found.message, details=details)
    return MutxError(f"{found.message} ({found.code})", details=details)
