"""A person's terminal: runs the blocks of a page one after the other, with a home and a port of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from mutx.cli.demo.control_plane import free_port
from tests.docs.pages import Block

SERVER = "mutx up"
"""A block that is a whole terminal of its own: it runs beside the others until the page ends."""

BLOCK_SECONDS = 90


class Terminal:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = ""
        self._url = f"http://127.0.0.1:{free_port()}"
        self._servers: list[subprocess.Popen[bytes]] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MUTX_", "MAKE", "PYTEST"))}
        self._environment = kept | {
            "HOME": str(folder),
            "MUTX_HOME": str(folder / ".mutx"),
            "PORT": self._url.rpartition(":")[2],
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "160",
        }

    def run(self, block: Block) -> None:
        """Raises AssertionError with what the block said where it failed."""
        command = block.text.strip()
        if command == SERVER:
            self._serve(command.split())
        elif block.file_name:
            (self.folder / block.file_name).write_text(block.text, "utf-8")
        elif block.language == "python":
            self._run([sys.executable, "-c", block.text])
        else:
            assert block.language == "bash", "a block of this language is a file: its first line is `# NAME`"
            self._run(["bash", "-euo", "pipefail", "-c", block.text])

    def _run(self, command: list[str]) -> None:
        """Whatever the block left in the background ends with it."""
        log = self.folder / "block.log"
        with log.open("wb") as file:
            shell = self._popen(command, file)
        try:
            status = shell.wait(BLOCK_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        self.output = log.read_text("utf-8")
        assert status == 0, f"exit status {status}:\n{self.output}"

    def _popen(self, command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def _serve(self, command: list[str]) -> None:
        log = self.folder / "server.log"
        with log.open("wb") as file:
            server = self._popen(command, file)
        self._servers.append(server)
        end = time.monotonic() + 60
        while b"MUTX listens on" not in log.read_bytes():
            assert server.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.1)
        self.output = log.read_text("utf-8")

    def close(self) -> None:
        for server in self._servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)
