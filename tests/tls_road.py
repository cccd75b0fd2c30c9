"""A road to a PostgreSQL server that speaks TLS, or refuses it, as the server itself would: the wheel's has none built in."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client sends first if it wants TLS; the server answers S or N."""

REFUSED = b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host, no encryption\0\0"


class Certificates(NamedTuple):
    authority: Path
    chain: Path
    key: Path


def certificates(folder: Path, name: str) -> Certificates:
    """A certificate for `name` and 127.0.0.1-less hosts, with an authority of its own."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    authority = _signed(issuer, issuer, authority_key, authority_key, x509.BasicConstraints(ca=True, path_length=0))
    alternative: x509.GeneralName = x509.DNSName(name) if name[0].isalpha() else x509.IPAddress(IPv4Address(name))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    leaf = _signed(subject, issuer, key, authority_key, x509.SubjectAlternativeName([alternative]))
    paths = Certificates(*(folder / f"{name}-{part}.pem" for part in ("authority", "chain", "key")))
    paths.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    paths.chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    paths.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1)).add_extension(extension, critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(authority, critical=False).sign(signer, SHA256())


class TlsRoad:
    """Carries connections to `to`. `used`: per connection that got through, whether it was encrypted."""

    def __init__(self, to: int, keys: Certificates | None, *, only: bool = False) -> None:
        """`keys`: those of a server with TLS. `only`: it refuses whoever comes without, as `hostssl` does."""
        self._to = to
        self._only = only
        self._context = None
        if keys is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(keys.chain, keys.key)
        self.used: list[bool] = []

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[int]:
        """The port it listens on."""
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(self._serve(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, encrypted = await reader.readexactly(8), False
            if first == SSL_REQUEST:
                writer.write(b"N" if self._context is None else b"S")
                await writer.drain()
                if self._context is not None:
                    await writer.start_tls(self._context)
                    encrypted = True
                first = await reader.readexactly(8)
            if self._only and not encrypted:
                writer.write(b"E" + struct.pack("!i", len(REFUSED) + 4) + REFUSED)
                await writer.drain()
            else:
                self.used.append(encrypted)
                await self._carry(first, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, as some of these do
        finally:
            await _closed(writer)

    async def _carry(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            there.write(first)
            await asyncio.gather(_pour(reader, there), _pour(back, writer))
        finally:
            await _closed(there)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Without waiting for the peer's goodbye, which never comes after a handshake that failed."""
    writer.transport.abort()
    await asyncio.sleep(0)
