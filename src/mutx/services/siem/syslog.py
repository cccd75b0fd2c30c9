"""Syslog over TLS: RFC 5424 messages, framed by octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3).

Syslog acknowledges nothing. So each batch has a connection of its own that is ended by both sides: once the receiver has
answered the end (TLS close_notify), everything before it has reached its process. Any other ending means that the batch
is sent again. What the receiver loses after that, no sender of syslog can know; `http` has an answer for every batch.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC

from mutx.contract.audit import AuditEvent
from mutx.governance.turn import Event
from mutx.kit.errors import Unavailable
from mutx.services.siem.formats import Formatter
from mutx.services.siem.record import record
from mutx.services.siem.severity import CRITICAL, HIGH, LOW, MEDIUM, severity

FACILITY = 13
"""Log audit (RFC 5424 §6.2.1)."""
SECONDS = 10.0
TOPICS = frozenset({"aarm.", "audit."})
TWICE = "audit.approval"
"""What `aarm.approval` says as well."""

_LEVELS = {CRITICAL: 2, HIGH: 3, MEDIUM: 4, LOW: 5}
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


def told(events: Sequence[Event]) -> list[tuple[AuditEvent, str]]:
    """What a SIEM is sent of `events`, with the workspace of each."""
    return [(record(event), event.workspace_id) for event in events if event.topic != TWICE]


def message(event: AuditEvent, line: str, host: str) -> bytes:
    """RFC 5424, without structured data: everything stands in the message, which is UTF-8."""
    priority = FACILITY * 8 + _LEVELS.get(severity(event), 6)
    at = event.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    kind = _word(event.event_type, 32)
    return f"<{priority}>1 {at} {_word(host, 255)} mutx - {kind} - \ufeff{line}".encode()


def frame(data: bytes) -> bytes:
    return b"%d %b" % (len(data), data)


def _word(text: str, limit: int) -> str:
    return _NOT_PRINTABLE.sub("_", text)[:limit] or "-"


class SyslogSink:
    """`governance.ports.Sink`. Raises Unavailable where a batch was not taken whole: the outbox sends it again."""

    name = "syslog"
    topics: frozenset[str] | None = TOPICS

    def __init__(
        self, host: str, port: int, write: Formatter, tls: ssl.SSLContext | None, *, seconds: float = SECONDS
    ) -> None:
        """`tls` None: in plaintext, for a collector on the same machine. `seconds`: for one batch."""
        self._host = host
        self._port = port
        self._write = write
        self._tls = tls
        self._seconds = seconds
        self._name = socket.gethostname()

    async def send(self, events: Sequence[Event]) -> None:
        frames = [frame(message(event, self._write(event, where), self._name)) for event, where in told(events)]
        if not frames:
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._deliver(b"".join(frames))
        except (OSError, ssl.SSLError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Unavailable("the syslog receiver did not take the events; they are sent again later") from error

    async def _deliver(self, data: bytes) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        written = False
        try:
            writer.write(data)
            await writer.drain()
            if self._tls is None:
                writer.write_eof()
                await reader.read()
            written = True
        finally:
            if not written:
                writer.transport.abort()
        writer.close()
        await writer.wait_closed()


def tls_context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; the receiver's certificate is checked against `ca`, or the system's. Raises OSError."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
