"""One connection of the egress gateway: who asks, what for, and what was decided."""

import asyncio
import hmac
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mutx.services.egress.addresses import Networks, NoAddress, Resolved, resolve
from mutx.services.egress.exchange import NoConnection, Streams, dialled, forward, hang_up, tunnel, unsealed
from mutx.services.egress.heads import (
    HEAD_LIMIT,
    BadMessage,
    ProxyRequest,
    body_length,
    encode,
    parse_inner,
    parse_request,
    read_head,
)
from mutx.services.egress.pump import EgressLimits, TooMuch
from mutx_agent.action import GovernedAction
from mutx_agent.errors import ActionDenied

if TYPE_CHECKING:
    from mutx.services.egress.authority import RunAuthority

REQUEST_TOOL, CONNECT_TOOL = "http.request", "net.connect"
USER = "run"
LINGER = 2.0
"""Seconds in which a refused client may take its answer."""
LINGER_PIECES = 64

Ask = Callable[[str, dict[str, Any]], GovernedAction]
"""Tool name and arguments -> the action to be decided."""


class EgressRefused(Exception):
    """An answer of the gateway itself."""

    def __init__(self, status: int, reason: str, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.code = code


class Inspection(NamedTuple):
    """What it takes to look into https."""

    authority: "RunAuthority"
    trust: ssl.SSLContext
    """For the connections to the servers themselves."""


class EgressGateway:
    """An explicit proxy. `secret`: what its clients must know; `networks`: what is not public and may be reached.

    With `inspection` it ends the TLS of its clients, and every request inside is decided like a plain one.
    """

    def __init__(
        self,
        ask: Ask,
        secret: str,
        networks: Networks,
        limits: EgressLimits | None = None,
        inspection: Inspection | None = None,
    ) -> None:
        self._ask = ask
        self._inspection = inspection
        self._expected = b"Basic " + b64encode(f"{USER}:{secret}".encode())
        self._networks = networks
        self._limits = limits or EgressLimits()
        self._open = 0

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        """Answer on a listening socket until the server is closed."""
        return await asyncio.start_server(self._connection, sock=listener, limit=HEAD_LIMIT)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            self._admit()
            await self._exchange((reader, writer))
        except EgressRefused as refusal:
            await self._say(reader, writer, refusal)
        except (OSError, EOFError, TimeoutError, BadMessage, TooMuch):
            # The client has part of an answer already, or has left: all that can be said is that it ends here.
            writer.transport.abort()
        finally:
            self._open -= 1
            await hang_up(writer)

    def _admit(self) -> None:
        if self._open > self._limits.connections:
            raise EgressRefused(503, "Service Unavailable", "too_many_connections", "too many connections at a time")

    async def _exchange(self, client: Streams) -> None:
        """One request per connection: what would follow could be taken for a part of the first by somebody."""
        request = await self._request(client[0], parse_request)
        self._authenticate(request)
        if request.method == "CONNECT" and self._inspection is not None:
            await unsealed(client, self._inspection.authority.context(request.host), self._limits)
            request = await self._request(client[0], partial(parse_inner, opened=request))
        try:
            resolved = await resolve(request.host, request.port)
        except NoAddress as error:
            raise EgressRefused(502, "Bad Gateway", "no_address", str(error)) from error
        action = self._ask(*described(request, resolved))
        try:
            async with action:
                action.result = await self._carry(request, resolved, action, client)
        except ActionDenied as denial:
            raise EgressRefused(403, "Forbidden", denial.reason_code, str(denial)) from denial
        except NoConnection as error:
            raise EgressRefused(502, "Bad Gateway", "unreachable", str(error)) from error

    async def _request(self, reader: asyncio.StreamReader, parse: Callable[[bytes], ProxyRequest]) -> ProxyRequest:
        try:
            async with asyncio.timeout(self._limits.head):
                request = parse(await read_head(reader))
            body_length(request.headers)
        except BadMessage as error:
            raise EgressRefused(400, "Bad Request", "bad_request", str(error)) from error
        except TimeoutError as error:
            raise EgressRefused(408, "Request Timeout", "too_slow", "the request was not there in time") from error
        return request

    def _authenticate(self, request: ProxyRequest) -> None:
        given = (request.header("proxy-authorization") or "").encode("latin-1")
        if not hmac.compare_digest(given, self._expected):
            raise EgressRefused(
                407, "Proxy Authentication Required", "unauthenticated", "this proxy serves the programs of one run"
            )

    async def _carry(
        self, request: ProxyRequest, resolved: Resolved, action: GovernedAction, client: Streams
    ) -> dict[str, Any]:
        """The allowed request. Raises EgressRefused before a byte has been sent back, other errors afterwards."""
        path = _permitted_path(request, resolved, action)
        if not self._networks.admit(resolved):
            text = f"{request.host} is {resolved.address}, a {resolved.kind} address; name its network with --allow-net"
            raise EgressRefused(403, "Forbidden", "address_not_public", text)
        tls = self._inspection.trust if self._inspection is not None and request.scheme == "https" else None
        async with dialled(resolved.address, request.port, self._limits, tls=tls, host=request.host) as server:
            if request.method == "CONNECT":
                return await tunnel(client, server, self._limits)
            return await forward(request, path, client, server, self._limits)

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: EgressRefused) -> None:
        body = json.dumps({"error": refusal.code, "message": str(refusal)}).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        if refusal.status == 407:
            headers.append(("Proxy-Authenticate", 'Basic realm="mutx run"'))
        with suppress(OSError, TimeoutError):
            writer.write(encode(f"HTTP/1.1 {refusal.status} {refusal.reason}", tuple(headers)) + body)
            if writer.can_write_eof():  # TLS has no half-closed state; there its end is the connection's
                writer.write_eof()
            # Closing on what the client is still sending would tear the answer from it.
            async with asyncio.timeout(LINGER):
                for _ in range(LINGER_PIECES):
                    if not await reader.read(HEAD_LIMIT):
                        break


def described(request: ProxyRequest, resolved: Resolved) -> tuple[str, dict[str, Any]]:
    """The tool's name and arguments, as policies see them. Behind CONNECT lies TLS, so there is no path to see."""
    place: dict[str, Any] = {"host": request.host, "port": request.port, "method": request.method}
    address = {"address": resolved.address, "address_kind": resolved.kind}
    if request.method == "CONNECT":
        return CONNECT_TOOL, place | address
    return REQUEST_TOOL, place | {"scheme": request.scheme, "path": request.path, "query": request.query} | address


def _permitted_path(request: ProxyRequest, resolved: Resolved, action: GovernedAction) -> str:
    """Path and query as allowed. A policy may change those two; another change cannot be carried out."""
    _, sent = described(request, resolved)
    allowed = {**sent, **action.args}
    fixed = allowed if request.method == "CONNECT" else allowed.keys() - {"path", "query"}
    if any(allowed[name] != sent.get(name) for name in fixed):
        raise EgressRefused(
            403, "Forbidden", "cannot_modify", "the policy changed something that the gateway cannot change"
        )
    path, query = str(allowed.get("path", "")), str(allowed.get("query", ""))
    if any(not one.isprintable() or " " in one for one in (path, query)):
        raise EgressRefused(403, "Forbidden", "cannot_modify", "the policy's path is no path")
    return f"{path}?{query}" if query else path
