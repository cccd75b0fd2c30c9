"""The Unix socket door: newline-delimited JSON, the same verbs, callers known by the kernel's word.

    -> {"id": 1, "verb": "decide", "body": {...}, "token": "mutx_agent_..."}
    <- {"id": 1, "ok": {...}}   or   {"id": 1, "error": {"code": ..., "message": ..., "details": {...}}}

Without a token a caller is who the kernel says (`peers`). It may decide, conclude, redeem and wait; it can never approve.
The socket lies in a directory that only its owner can enter.
"""

from pathlib import Path
from typing import Any

import msgspec

from mutx.governance.types import Door
from mutx.kit.errors import InputError, MalformedBody, MutxError, TooLarge
from mutx.server.doors.failing import FailClosed
from mutx.server.doors.lines import MAX_LINE, LineSocket, Peer
from mutx.server.doors.peers import KnownPeers
from mutx.server.doors.verbs import Verbs
from mutx.web.strict_json import parse

FAIL_CLOSED = FailClosed("uds")


class UdsDoor(LineSocket):
    """The verbs of this product on one socket."""

    def __init__(self, path: Path, verbs: Verbs, peers: KnownPeers) -> None:
        super().__init__(path, self._serve, _refusal(None, _too_long()))
        self._verbs = verbs
        self._peers = peers

    async def _serve(self, line: bytes, peer: Peer) -> bytes:
        number: Any = None
        try:
            with FAIL_CLOSED:
                request = parsed(line)
                number = _number(request)
                verb, token = _addressed(request)
                caller = await self._peers.caller(token, peer, Door.UDS)
                return msgspec.json.encode(
                    {"id": number, "ok": await self._verbs.call(verb, request.get("body", {}), caller)}
                )
        except MutxError as error:
            return _refusal(number, error)


def parsed(line: bytes) -> dict[str, Any]:
    """A request. Raises TooLarge, MalformedBody."""
    if len(line) > MAX_LINE:
        raise _too_long()
    request = parse(line)
    if not isinstance(request, dict):
        raise MalformedBody("a request is one JSON object on one line")
    return request


def _too_long() -> TooLarge:
    return TooLarge(f"a request may have at most {MAX_LINE} bytes")


def _number(request: dict[str, Any]) -> int | str:
    number = request.get("id")
    if not isinstance(number, int | str):
        raise InputError("`id` must be a number or a text")
    return number


def _addressed(request: dict[str, Any]) -> tuple[str, str | None]:
    verb, token = request.get("verb"), request.get("token")
    if not isinstance(verb, str):
        raise MalformedBody("`verb` must name one of the verbs")
    if not isinstance(token, str | None):
        raise InputError("`token` must be a text")
    return verb, token


def _refusal(number: Any, error: MutxError) -> bytes:
    body = {"code": error.code, "message": str(error), "details": error.details}
    return msgspec.json.encode({"id": number, "error": body})
