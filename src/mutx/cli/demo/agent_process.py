"""The demo's agent as seen from outside: a process that writes one line for everything it does."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

from mutx.cli.demo.evidence import DemoObservation
from mutx.cli.demo.office import Office
from mutx.kit.errors import SetupError

AgentEvent = dict[str, Any]
"""`{"call", "args"}`, `{"result", "tool", "status"}` or `{"says"}`."""


class AgentProcess:
    """Runs `mutx.cli.demo.agent` in the office, with an agent's key and nothing of the operator's."""

    def __init__(
        self,
        office: Office,
        environment: Mapping[str, str],
        model: str,
        session_id: str,
        hear: Callable[[AgentEvent], None],
    ) -> None:
        self.events: list[AgentEvent] = []
        self.log = office.folder / "agent.log"
        self._hear = hear
        command = [
            sys.executable,
            "-P",
            "-m",
            "mutx.cli.demo.agent",
            "--model",
            model,
            "--session",
            session_id,
            "--folder",
            str(office.folder),
        ]
        ports = ["--smtp-port", str(office.mailbox.port), "--payments-port", str(office.payments.port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command + ports, env=environment, cwd=office.folder, stdout=subprocess.PIPE, stderr=log
            )
        self._reader = Thread(target=self._read, name="demo-agent", daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Read its last lines; an agent that still runs is killed. Raises SetupError if it never did anything."""
        if self.running:
            self._process.kill()
        self._reader.join()
        if self._process.wait() != 0 and not self.events:
            raise SetupError(f"the agent did not start; its last words: {self._last_words()}")

    def finished(self) -> DemoObservation:
        status = self._process.returncode
        words = "" if status == 0 else f"; its last words: {self._last_words()}"
        return DemoObservation("agent_finished", status == 0, f"the agent's process ended with status {status}{words}")

    def _last_words(self) -> str:
        return self.log.read_text("utf-8")[-500:].strip()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                event: AgentEvent = json.loads(line)
                self.events.append(event)
                self._hear(event)
