"""An allowed request on its way: a plain one there and back, or a tunnel."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any

from mutx.services.egress.heads import (
    HEAD_LIMIT,
    NO_BODY,
    BadMessage,
    ProxyRequest,
    ResponseHead,
    body_length,
    encode,
    end_to_end,
    parse_response,
    read_head,
    single,
)
from mutx.services.egress.pump import EgressLimits, Pump, TooMuch

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

USUAL_PORTS = MappingProxyType({"http": 80, "https": 443})

FAREWELL = 30.0
"""Seconds that a client may take for the rest of its answer, and to hang up itself."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoConnection(Exception):
    """The server at the other end was not reached, or gave no answer that could be passed on; the client has none yet."""


@asynccontextmanager
async def dialled(
    address: str, port: int, limits: EgressLimits, *, tls: ssl.SSLContext | None = None, host: str | None = None
) -> AsyncIterator[Streams]:
    """A connection to exactly this address; with `tls`, to the one that has a certificate for `host`. Raises NoConnection."""
    try:
        async with asyncio.timeout(limits.dial):
            reader, writer = await asyncio.open_connection(
                address, port, limit=HEAD_LIMIT, ssl=tls, server_hostname=host if tls is not None else None
            )
    except ssl.SSLError as error:
        raise NoConnection(f"{host} at {address} port {port} speaks no TLS that can be trusted ({error})") from error
    except (OSError, TimeoutError) as error:
        raise NoConnection(f"{address} port {port} does not answer ({type(error).__name__})") from error
    try:
        yield reader, writer
    finally:
        if tls is not None:
            writer.transport.abort()  # the answer is there; a farewell of TLS would wait for the server's own
        else:
            with suppress(OSError):
                writer.close()


async def unsealed(client: Streams, context: ssl.SSLContext, limits: EgressLimits) -> None:
    """Have the client speak TLS with this end of the tunnel that it asked for. Raises OSError."""
    client[1].write(OPEN)
    await client[1].drain()
    await client[1].start_tls(context, ssl_handshake_timeout=limits.head)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a client's connection. TLS has a farewell, by which an answer without a length is known to be whole; a client
    that says none itself is not waited for."""
    try:
        with suppress(OSError):  # TimeoutError is one
            writer.close()
            async with asyncio.timeout(FAREWELL):
                await writer.wait_closed()
    finally:
        writer.transport.abort()


async def tunnel(client: Streams, server: Streams, limits: EgressLimits) -> dict[str, Any]:
    """Bytes both ways until both sides have ended, or one hung up. Returns how many."""
    up, down = Pump(client[0], server[1], limits), Pump(server[0], client[1], limits)
    client[1].write(OPEN)
    await client[1].drain()

    async def one_way(pump: Pump, writer: asyncio.StreamWriter) -> None:
        try:
            await pump.to_end()
            writer.write_eof()
        except OSError:
            # Either side may hang up at any time; so does the other, then.
            for one in (client[1], server[1]):
                one.close()

    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(one_way(up, server[1]))
            both.create_task(one_way(down, client[1]))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return {"sent": up.count, "received": down.count}


async def forward(
    request: ProxyRequest, path: str, client: Streams, server: Streams, limits: EgressLimits
) -> dict[str, Any]:
    """A plain request there and its answer back. Returns status and sizes.

    Raises NoConnection while the client has no answer yet; afterwards BadMessage, TooMuch, OSError, EOFError, TimeoutError.
    """
    up, down = Pump(client[0], server[1], limits), Pump(server[0], client[1], limits)
    try:
        await _ask(request, path, client[1], up)
        answer = await _answer(server[0], limits)
    except (BadMessage, TooMuch, OSError, EOFError, TimeoutError) as error:
        raise NoConnection(f"there was no answer: {type(error).__name__}: {error}") from error
    await down.send(
        encode(f"HTTP/1.1 {answer.status} {answer.reason}", (*end_to_end(answer.headers), ("Connection", "close")))
    )
    if request.method != "HEAD" and answer.status not in NO_BODY:
        await _answer_body(answer, down)
    return {"status": answer.status, "sent": up.count, "received": down.count}


async def _ask(request: ProxyRequest, path: str, client: asyncio.StreamWriter, up: Pump) -> None:
    length = body_length(request.headers)
    await up.send(encode(f"{request.method} {path} HTTP/1.1", _sent(request)))
    if (request.header("expect") or "").lower() == "100-continue":
        client.write(CONTINUE)
    await (up.chunks() if length is None else up.exactly(length))


def _sent(request: ProxyRequest) -> tuple[tuple[str, str], ...]:
    """The headers as the server gets them: `Host` is the one that was decided on, whatever the client wrote."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    named = host if request.port == USUAL_PORTS[request.scheme] else f"{host}:{request.port}"
    rest = tuple(one for one in end_to_end(request.headers) if one[0].lower() != "host")
    return (("Host", named), *rest, ("Connection", "close"))


async def _answer(reader: asyncio.StreamReader, limits: EgressLimits) -> ResponseHead:
    """The final answer's head; interim ones stay here."""
    while True:
        async with asyncio.timeout(limits.idle):
            head = parse_response(await read_head(reader))
        if head.status >= 200:
            return head
        if head.status == 101:
            raise BadMessage("the server changed the protocol, which was not asked for")


async def _answer_body(answer: ResponseHead, down: Pump) -> None:
    if single(answer.headers, "transfer-encoding") is not None:
        body_length(answer.headers)
        await down.chunks()
    elif single(answer.headers, "content-length") is not None:
        await down.exactly(body_length(answer.headers) or 0)
    else:
        await down.to_end()
