"""Outward requests to addresses that users gave: resolved once, refused where they lead inside, and pinned."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from mutx.kit.errors import InputError, Unavailable

NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: an IPv4 address in the last 32 bits."""


class Target(Struct, frozen=True):
    """A URL and the address that it was found to mean."""

    url: httpx2.URL
    """With the address in place of the host name."""
    host: str
    """What goes into the Host header."""
    name: str
    """What the certificate must be for."""


async def resolve(url: str, *, private: bool) -> Target:
    """Look the host up and pin the request to what was found. `private` admits loopback and private networks.

    Raises InputError for a URL that is not http(s) or leads inside, Unavailable if the name has no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("an outward address must be an http:// or https:// URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = await _addresses(parts.hostname, port)
    inside = [address for address in addresses if not outside(address)]
    if inside and not private:
        raise InputError(f"{parts.hostname} leads to a private address; allow private addresses or use another URL")
    pinned = httpx2.URL(url).copy_with(host=str(addresses[0]))
    return Target(pinned, parts.netloc.rpartition("@")[2], parts.hostname)


def outside(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is out on the public internet; one that carries an IPv4 address is judged by that."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in NAT64:
            carried = IPv4Address(int(address) & 0xFFFF_FFFF)
        if carried is not None:
            return outside(carried)
    return address.is_global and not address.is_multicast


async def _addresses(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{host} has no address; check the URL and the name service") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
