"""The load that doors are measured under, from a process of its own: `python -m benchmarks.load`, its job on stdin.

Connections stay open and keep `depth` requests under way each. Answers are counted and checked, never understood: HTTP by
status line and Content-Length, the Unix socket by lines. Prints one JSON object: requests, seconds, failed.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

import uvloop


@dataclass(frozen=True)
class Job:
    """What to send where. `socket`: path of a Unix socket, else `port` of this machine. Requests are latin-1 text."""

    requests: list[str]
    seconds: float
    connections: int
    depth: int = 1
    port: int = 0
    socket: str = ""

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Load:
    """The job under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.next = cycle([text.encode("latin-1") for text in job.requests])
        self.answered = self.failed = 0
        self.running = True

    def client(self) -> asyncio.Protocol:
        return LineClient(self) if self.job.socket else HttpClient(self)


class LineClient(asyncio.Protocol):
    """Newline-delimited JSON."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send(self._load.job.depth)

    def data_received(self, data: bytes) -> None:
        *answers, self._rest = (self._rest + data).split(b"\n")
        self._answered(len(answers), sum(b'"ok":' not in answer for answer in answers))

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.failed += self._load.running

    def _answered(self, count: int, failed: int) -> None:
        self._load.answered += count
        self._load.failed += failed
        if self._load.running and count:
            self._send(count)

    def _send(self, count: int) -> None:
        self._transport.write(b"".join(next(self._load.next) for _ in range(count)))


class HttpClient(LineClient):
    """HTTP/1.1 with Content-Length, in answers' order."""

    def data_received(self, data: bytes) -> None:
        text, count, failed = self._rest + data, 0, 0
        while (end := text.find(b"\r\n\r\n")) >= 0:
            head = text[:end].lower()
            _, _, length = head.partition(b"content-length: ")
            whole = end + 4 + int(length.partition(b"\r\n")[0])
            if len(text) < whole:
                break
            count, failed, text = count + 1, failed + (head[9:12] != b"200"), text[whole:]
        self._rest = text
        self._answered(count, failed)


async def run(job: Job) -> dict[str, float]:
    load = Load(job)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    transports = []
    for _ in range(job.connections):
        if job.socket:
            transport, _ = await loop.create_unix_connection(load.client, job.socket)
        else:
            transport, _ = await loop.create_connection(load.client, "127.0.0.1", job.port)
        transports.append(transport)
    await asyncio.sleep(job.seconds)
    load.running = False
    seconds = time.perf_counter() - started
    requests = load.answered
    await asyncio.sleep(0.2)  # what is under way is answered, so that the server starts the next job idle
    for transport in transports:
        transport.close()
    return {"requests": requests, "seconds": seconds, "failed": load.failed}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Job(**json.load(sys.stdin))))))
