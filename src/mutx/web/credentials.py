"""What a request brings along to say who it is from."""

import ipaddress
from collections.abc import Collection

from starlette.types import Scope

from mutx.kit.errors import Unauthenticated

MAX_CREDENTIAL = 16_384


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first value of a header; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def credential_of(scope: Scope) -> str | None:
    """The bearer token or API key as sent; None without one. Raises Unauthenticated for one that cannot be read."""
    given = header(scope, b"authorization")
    if given is not None:
        scheme, _, credential = given.partition(b" ")
        if scheme.lower() != b"bearer":
            raise Unauthenticated("send credentials as `Authorization: Bearer ...`")
    else:
        credential = header(scope, b"x-api-key") or b""
    credential = credential.strip()
    if not credential:
        return None
    if len(credential) > MAX_CREDENTIAL or not credential.isascii():
        raise Unauthenticated("this is no credential of ours; sign in again")
    return credential.decode("ascii")


def from_loopback(scope: Scope) -> bool:
    """Whether the peer is this machine, and spoke to it itself: no proxy on its way, no page of another site.

    A proxy in front makes every peer look near. It betrays itself by a header, or by a Host that is no loopback name.
    """
    client = scope.get("client")
    if client is None or not _is_loopback(client[0]):
        return False
    headers = scope["headers"]
    if any(name in RELAYED or name.startswith(b"x-forwarded") for name, _ in headers):
        return False
    hosts = [value for name, value in headers if name == b"host"]
    return len(hosts) == 1 and _is_loopback(_host_name(hosts[0]))


RELAYED = frozenset(
    (b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"true-client-ip", b"cf-connecting-ip", b"origin", b"referer")
)
"""Headers of requests that somebody relayed, or that a page caused."""


def from_own_page(scope: Scope, origins: Collection[str]) -> bool:
    """Whether a page of ours sent it: its Origin is the server's own, or listed."""
    given = [value for name, value in scope["headers"] if name == b"origin"]
    if len(given) != 1:
        return False
    origin = given[0].decode("latin-1")
    scheme, found, place = origin.partition("://")
    own = (header(scope, b"host") or b"").decode("latin-1")
    return origin in origins or (bool(found) and scheme in ("http", "https") and place != "" and place == own)


def _host_name(host: bytes) -> str:
    """Without the port and an IPv6 address's brackets."""
    text = host.decode("latin-1")
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
