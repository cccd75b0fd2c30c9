"""The heads of HTTP/1.1 messages (RFC 9112), read strictly: what two readers could read in two ways is refused."""

import asyncio
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

HEAD_LIMIT = 64 * 1024
"""Bytes of a head."""
HEADERS = 200
HOST_LIMIT = 253
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HOST = re.compile(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+")
TARGET = re.compile(r"[\x21-\x7e]+")
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-connection proxy-authorization proxy-authenticate te upgrade expect".split()
)
"""Of the connection between client and gateway; they end here."""
KEPT = frozenset({"host", "content-length", "transfer-encoding"})
"""Whoever names these in `Connection` would have a body taken for the next request."""
NO_BODY = frozenset({204, 304})

Headers = tuple[tuple[str, str], ...]


class BadMessage(ValueError):
    """Not HTTP/1.1 as this gateway reads it."""


class ProxyRequest(NamedTuple):
    """What a client asks of the proxy. For CONNECT `path` is empty."""

    method: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    headers: Headers

    def header(self, name: str) -> str | None:
        """Raises BadMessage for one that is given twice."""
        return single(self.headers, name)


class ResponseHead(NamedTuple):
    status: int
    reason: str
    headers: Headers


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Up to and with the empty line. Raises BadMessage; IncompleteReadError where the other side ended."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadMessage(f"a head may have at most {HEAD_LIMIT} bytes") from error


def parse_request(head: bytes) -> ProxyRequest:
    lines = _lines(head)
    method, target = _first(lines[0])
    headers = _headers(lines[1:])
    if method == "CONNECT":
        host, port = authority(target, None)
        return ProxyRequest(method, "", host, port, "", "", headers)
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.netloc:
        raise BadMessage("a proxy is asked with CONNECT, or with a whole http:// address")
    if "@" in parts.netloc:
        raise BadMessage("a user name in an address is not carried on; send an Authorization header")
    _refuse_ambiguous(parts.path)
    host, port = authority(parts.netloc, 80)
    return ProxyRequest(method, "http", host, port, parts.path or "/", parts.query, headers)


def parse_inner(head: bytes, opened: ProxyRequest) -> ProxyRequest:
    """A request inside the TLS that a CONNECT has opened: it is for the host and port that were named there."""
    lines = _lines(head)
    method, target = _first(lines[0])
    headers = _headers(lines[1:])
    if not target.startswith("/") or "#" in target:
        raise BadMessage("inside a tunnel a request names a path")
    path, _, query = target.partition("?")
    _refuse_ambiguous(path)
    return ProxyRequest(method, "https", opened.host, opened.port, path, query, headers)


def _first(line: str) -> tuple[str, str]:
    """Method and target."""
    words = line.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not TOKEN.fullmatch(words[0]):
        raise BadMessage("the first line is no request line of HTTP/1.1")
    if not TARGET.fullmatch(words[1]):
        raise BadMessage("the target holds characters that no URL has")
    return words[0], words[1]


def _refuse_ambiguous(path: str) -> None:
    if any(unquote(part) in (".", "..") or "\\" in unquote(part) for part in re.split("/|%2[fF]", path)):
        raise BadMessage("a path with `.` or `..` in it would be decided as one place and could be served as another")


def authority(text: str, default: int | None) -> tuple[str, int]:
    """Host, in lower case and without brackets or a last dot, and port."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?", text)
    plain = bracketed or re.fullmatch(r"([^:\[\]]+)(?::(\d{1,5}))?", text)
    if plain is None:
        raise BadMessage("the address names no host")
    host, port = plain[1].lower().rstrip("."), int(plain[2]) if plain[2] else default
    if not HOST.fullmatch(host) or len(host) > HOST_LIMIT or port is None or not 0 < port < 65536:
        raise BadMessage("the address names no host and port")
    return host, port


def parse_response(head: bytes) -> ResponseHead:
    lines = _lines(head)
    version, _, rest = lines[0].partition(" ")
    status, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not re.fullmatch(r"[1-5]\d\d", status):
        raise BadMessage("the server's answer is no HTTP/1.1")
    return ResponseHead(int(status), reason, _headers(lines[1:]))


def _lines(head: bytes) -> list[str]:
    text = head[:-4].decode("latin-1")
    lines = text.split("\r\n")
    if "\n" in "".join(lines) or "\r" in "".join(lines) or "\0" in text:
        raise BadMessage("a line of the head ends in a way that could be read in two ways")
    return lines


def _headers(lines: list[str]) -> Headers:
    if len(lines) > HEADERS:
        raise BadMessage(f"a head may have at most {HEADERS} lines")
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name):
            raise BadMessage("a header line has no name")
        found.append((name, value.strip(" \t")))
    return tuple(found)


def single(headers: Headers, name: str) -> str | None:
    values = [value for key, value in headers if key.lower() == name]
    if len(values) > 1:
        raise BadMessage(f"`{name}` is given twice")
    return values[0] if values else None


def end_to_end(headers: Headers) -> Headers:
    """Those that concern the two ends and not the connection between two of the hops."""
    named = {word.strip().lower() for key, value in headers if key.lower() == "connection" for word in value.split(",")}
    return tuple((key, value) for key, value in headers if key.lower() not in HOP_BY_HOP | (named - KEPT))


def body_length(headers: Headers) -> int | None:
    """Bytes of the body; None where it is sent in chunks. Raises BadMessage where the two could be mistaken."""
    length, coding = single(headers, "content-length"), single(headers, "transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise BadMessage("the body's length could be read in two ways")
        return None
    if length is None:
        return 0
    if not re.fullmatch(r"\d{1,15}", length):
        raise BadMessage("`content-length` is no number")
    return int(length)


def encode(first: str, headers: Headers) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")
