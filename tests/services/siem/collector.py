"""A syslog collector of the real kind: TLS, octet counting, a certificate made for the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate for an address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


class Collector:
    """What arrived, as messages; a connection that ends inside a frame is counted as broken."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.connections = 0
        self.broken = 0
        self.drop_after: int | None = None
        """Cut the connection once this many messages of it were read."""
        self.port = 0
        self._heard = asyncio.Event()

    async def until(self, text: str) -> None:
        """Wait for a message that holds `text`."""
        while not any(text in message for message in self.messages):
            self._heard.clear()
            await self._heard.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        seen = 0
        try:
            while self.drop_after is None or seen < self.drop_after:
                length = await reader.readuntil(b" ")
                self.messages.append((await reader.readexactly(int(length))).decode())
                seen += 1
                self._heard.set()
            writer.transport.abort()
        except asyncio.IncompleteReadError as error:
            self.broken += bool(error.partial)
        finally:
            writer.close()


@asynccontextmanager
async def collecting(certificate: tuple[Path, Path] | None, port: int = 0) -> AsyncIterator[Collector]:
    """On loopback; in plaintext without a certificate."""
    collector, tls = Collector(), None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
    server = await asyncio.start_server(collector.serve, "127.0.0.1", port, ssl=tls)
    collector.port = server.sockets[0].getsockname()[1]
    try:
        yield collector
    finally:
        server.close()
