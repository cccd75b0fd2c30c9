"""Names to addresses. The address that was judged is the one that is dialled, so a name cannot change its mind between."""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SHARED = IPv4Network("100.64.0.0/10")
"""Between a provider and its customers (RFC 6598); clouds put services there."""
TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052)."""
LOOKUP_SECONDS = 10.0


class Resolved(NamedTuple):
    """One address and what kind it is: public, loopback, link_local, private, multicast or reserved."""

    address: str
    kind: str


class NoAddress(Exception):
    """The name leads nowhere."""


async def resolve(host: str, port: int) -> Resolved:
    """The address to dial, IPv4 before IPv6. Raises NoAddress."""
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise NoAddress(f"{host} has no address: {error}") from error
    addresses = sorted((ip_address(str(entry[4][0]).partition("%")[0]) for entry in found), key=lambda one: one.version)
    if not addresses:
        raise NoAddress(f"{host} has no address")
    return Resolved(str(addresses[0]), address_kind(addresses[0]))


def address_kind(address: Address) -> str:
    """Where an address leads, looked at through the ways in which IPv6 carries IPv4."""
    address = _carried(address)
    for kind in ("loopback", "link_local", "multicast"):
        if getattr(address, f"is_{kind}"):
            return kind
    if address.is_private or address in SHARED:
        return "private"
    return "public" if address.is_global else "reserved"


def _carried(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class Networks:
    """The networks that are not public and may be reached all the same, where the policy allows the request."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Raises ValueError for what is no network."""
        self._networks: tuple[Network, ...] = tuple(map(ip_network, texts))

    def admit(self, resolved: Resolved) -> bool:
        address = _carried(ip_address(resolved.address))
        return resolved.kind == "public" or any(address in network for network in self._networks)
