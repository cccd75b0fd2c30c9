"""Which errors an operation may answer with, for its description: the same table of statuses that the errors go out by."""

from collections.abc import Mapping
from typing import Any

from mutx.contract.operation import Operation

MEANING: Mapping[int, str] = {
    400: "The request cannot be read, or names a host that is not this server.",
    401: "There is no credential, or it does not hold.",
    403: "The credential does not reach that far.",
    404: "There is no such thing, or it is not yours.",
    408: "The request did not arrive in time.",
    409: "The present state does not admit it.",
    413: "The body is too large.",
    422: "What was sent does not fit this operation.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "Something went wrong on the server; its log has it under the request id.",
    503: "A part of the server cannot answer now; nothing was allowed.",
    507: "The disk, or the database, is full.",
}

ANY = (400, 408, 413, 429, 500, 503)
"""The edge may give these to any request."""


def errors_of(operation: Operation[Any, Any]) -> tuple[int, ...]:
    """The statuses, in order."""
    found = {*ANY, *operation.errors}
    if not operation.public:
        found |= {401, 403}
    if operation.parameters or not operation.public:
        found |= {404}
    if operation.parameters:
        found |= {422}
    if operation.method != "GET":
        found |= {401, 403, 409, 507}
    return tuple(sorted(found))


def reference(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/Problem{status}"}


def described() -> dict[str, dict[str, Any]]:
    """The reusable answers: one shape, whatever the operation's own answer is."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        f"Problem{status}": {"description": text, "content": {"application/json": schema}}
        for status, text in MEANING.items()
    }
