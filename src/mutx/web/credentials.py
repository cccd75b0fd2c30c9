"""What a request brings along to say who it is from."""

import ipaddress

from starlette.types import Scope

from mutx.kit.errors import Unauthenticated

MAX_CREDENTIAL = 4096


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
    """Whether the peer is this machine, and spoke to it under a loopback name (no page of another site did)."""
    client = scope.get("client")
    try:
        near = client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
    return near and header(scope, b"x-forwarded-for") is None and header(scope, b"origin") is None
