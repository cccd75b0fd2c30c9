"""`mutx up` as a real process, to be killed and started again on the same home."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import httpx2

MUTX = [sys.executable, "-c", "from mutx.cli.main import main; main()"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def variables(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "MUTX_HOME": str(home),
        "RATE_LIMIT_REQUESTS": "1000000",
        "GOVERNANCE_RATE_LIMIT_REQUESTS": "1000000",
    }


def try_up(home: Path, port: int | None = None) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail."""
    command = [*MUTX, "up", "--port", str(port or free_port())]
    return subprocess.run(
        command, env=variables(home), cwd=home.parent, capture_output=True, text=True, timeout=60, check=False
    )


class Up:
    """A running `mutx up`, ready to answer."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [*MUTX, "up", "--port", str(free_port())],
            env=variables(home),
            cwd=home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[3]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def operator(self) -> httpx2.AsyncClient:
        token = httpx2.post(f"{self.url}/v1/auth/local-bootstrap", json={}).json()["access_token"]
        return httpx2.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def kill(self) -> None:
        """SIGKILL: no chance to write anything."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
