"""Which address a request counts against."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Networks = tuple[IPv4Network | IPv6Network, ...]

NOBODY = "local"
"""A peer without an address: a Unix socket, a call inside the process."""
MAX_HOPS = 16
SITE_BITS = 64
"""IPv6 hands whole /64 networks to single customers, so one counts as one address."""


def networks(names: Sequence[str]) -> Networks:
    """Raises ValueError for what is no network."""
    return tuple(ip_network(name, strict=False) for name in names)


class ClientAddress:
    """The peer, or behind proxies of ours the nearest address that is none of them.

    `X-Forwarded-For` is believed as far as trusted proxies wrote it, read from the right; what a client put to the left
    of that counts for nothing.
    """

    def __init__(self, trusted: Networks = ()) -> None:
        self._trusted = trusted

    def __call__(self, scope: Scope) -> str:
        client = scope.get("client")
        peer = str(client[0]) if client else NOBODY
        if not self._trusted or not self._ours(peer):
            return _site(peer)
        sent = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        for hop in reversed([each.strip() for each in sent.decode("latin-1").split(",")[-MAX_HOPS:]]):
            if not _is_address(hop):
                break
            peer = hop
            if not self._ours(hop):
                break
        return _site(peer)

    def _ours(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _site(address: str) -> str:
    if ":" not in address or not _is_address(address):
        return address
    found = IPv6Address(address)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found) >> SITE_BITS << SITE_BITS, SITE_BITS)))
