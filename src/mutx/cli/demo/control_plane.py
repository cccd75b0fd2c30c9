"""`mutx up` as a process of its own, on a home and a port of its own: to be used, killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from mutx.kit.errors import SetupError

START_TIMEOUT = 150.0
"""Seconds until it must answer; a slow machine runs its migrations first."""

ELSEWHERE = frozenset({"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "LOCAL_BOOTSTRAP"})
"""Variables that lead a control plane to other places; this one stays in its home."""


class LocalControlPlane:
    """One control plane in `home`. Restarts keep its address, its database and its keys."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a command of this machine's operator needs to reach it."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("MUTX_") and name not in ELSEWHERE
        }
        return {**kept, "MUTX_HOME": str(self.home), "MUTX_URL": self.url, "NO_PROXY": "127.0.0.1"}

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def log(self) -> Path:
        return self.home.with_name(f"{self.home.name}.log")

    def start(self) -> float:
        """Start it and wait until it answers; how many seconds that took. Raises SetupError with its last words."""
        started = time.monotonic()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "mutx", "up", "--host", "127.0.0.1", "--port", str(self._port)],
                env=self.environment,
                cwd=self.home,
                stdout=log,
                stderr=log,
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - started > START_TIMEOUT:
                self.stop()
                raise SetupError(f"the control plane did not start; its last words: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - started

    def kill(self) -> int:
        """SIGKILL: it gets no chance to say or write anything. Its exit status, -9."""
        return self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        try:
            return self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _answers(self) -> bool:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=1)) as connection:
            try:
                connection.request("GET", "/ready")
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
