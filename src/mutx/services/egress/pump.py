"""Bytes from one side to the other, no more than allowed and never idle for too long."""

import asyncio
from dataclasses import dataclass

from mutx.services.egress.heads import BadMessage

PIECE = 64 * 1024


class TooMuch(Exception):
    """A limit on size or time ended the exchange."""


@dataclass(frozen=True, kw_only=True)
class EgressLimits:
    """Of one exchange."""

    body: int = 1 << 30
    """Bytes in either direction."""
    idle: float = 300.0
    """Seconds without a byte; models think for minutes before they answer."""
    head: float = 30.0
    """Seconds until a client's request is there."""
    dial: float = 20.0
    connections: int = 256


class Pump:
    """One direction of an exchange."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: EgressLimits) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self.count = 0
        """Bytes so far."""

    async def exactly(self, count: int) -> None:
        while count:
            piece = await self._read(min(PIECE, count))
            if not piece:
                raise BadMessage("the body ended before its length")
            count -= len(piece)
            await self.send(piece)

    async def to_end(self) -> None:
        while piece := await self._read(PIECE):
            await self.send(piece)

    async def chunks(self) -> None:
        """A chunked body (RFC 9112 §7.1), passed on as it is; extensions and trailers end here."""
        while True:
            line = await self._line()
            size = int(_size(line), 16)
            await self.send(b"%x\r\n" % size)
            if size == 0:
                while await self._line():
                    pass
                await self.send(b"\r\n")
                return
            await self.exactly(size)
            if await self._line():
                raise BadMessage("a chunk is longer than it says")
            await self.send(b"\r\n")

    async def send(self, data: bytes) -> None:
        self.count += len(data)
        if self.count > self._limits.body:
            raise TooMuch(f"more than {self._limits.body} bytes in one direction")
        self._writer.write(data)
        async with self._patience():
            await self._writer.drain()

    async def _read(self, count: int) -> bytes:
        async with self._patience():
            return await self._reader.read(count)

    async def _line(self) -> bytes:
        async with self._patience():
            line = await self._reader.readuntil(b"\r\n")
        return line[:-2]

    def _patience(self) -> asyncio.Timeout:
        return asyncio.timeout(self._limits.idle)


def _size(line: bytes) -> bytes:
    size = line.partition(b";")[0].strip()
    if not size or len(size) > 8 or size.strip(b"0123456789abcdefABCDEF"):
        raise BadMessage("a chunk has no size")
    return size
