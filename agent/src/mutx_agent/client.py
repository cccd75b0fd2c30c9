"""The agent as a citizen of the control plane: registers, sends heartbeats and metrics, fetches commands."""

import logging
import platform
import socket
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urlencode

from mutx_agent.errors import DoorError
from mutx_agent.settings import EMBEDDED, AgentSettings, load
from mutx_agent.transport.base import Json
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.transport.http import HttpTransport

log = logging.getLogger("mutx_agent")


class RestTransport(Protocol):
    """A transport that reaches the whole API, not only the governed verbs."""

    def request(self, method: str, path: str, body: Json | None = None) -> Any: ...

    def close(self) -> None: ...


class MutxAgentClient:
    """One agent's line to the control plane. Calls raise DoorUnreachable or DoorRefused.

        with MutxAgentClient("http://127.0.0.1:8000", api_key=key) as client:
            client.register("invoice-bot")
            client.start_heartbeat(interval=30)

    Without arguments the address and the key come from the environment or the client file.
    """

    def __init__(
        self,
        mutx_url: str | None = None,
        api_key: str | None = None,
        agent_id: str | None = None,
        timeout: float = 30.0,
        *,
        transport: RestTransport | None = None,
    ) -> None:
        if transport is None:
            settings = load(url=mutx_url, api_key=api_key, agent_id=agent_id, timeout=timeout)
        else:
            settings = AgentSettings(url=mutx_url, api_key=api_key, agent_id=agent_id, timeout=timeout)
        self._settings = settings
        self._rest = transport or _rest(settings)
        self._started = time.monotonic()
        self._stopping = threading.Event()
        self._heart: threading.Thread | None = None

    @property
    def agent_id(self) -> str:
        """Raises LookupError before `register`, unless it was configured."""
        if self._settings.agent_id is None:
            raise LookupError("this agent has no id yet: call register() or set MUTX_AGENT_ID")
        return self._settings.agent_id

    def register(
        self,
        name: str,
        description: str = "",
        *,
        metadata: Mapping[str, Any] | None = None,
        capabilities: tuple[str, ...] = (),
    ) -> Json:
        """Register under `name`; from then on this client speaks as that agent, with the agent's own key."""
        body = {
            "name": name,
            "description": description,
            "metadata": dict(metadata or {}),
            "capabilities": list(capabilities),
        }
        answer: Json = self._rest.request("POST", "/v1/agents/register", body)
        self._settings = self._settings._replace(agent_id=answer["agent_id"], api_key=answer.get("api_key"))
        if isinstance(self._rest, HttpTransport) and self._settings.api_key:
            self._rest.authenticate(self._settings.api_key)
        return answer

    def heartbeat(self, status: str = "running", message: str | None = None) -> Json:
        """Say once that the agent lives."""
        return self._send(
            "/v1/agents/heartbeat",
            status=status,
            message=message,
            platform=platform.platform(),
            hostname=socket.gethostname(),
        )

    def start_heartbeat(self, interval: float = 30) -> None:
        """Send a heartbeat every `interval` seconds from a background thread; a failing one is tried again sooner."""
        if self._heart is not None and self._heart.is_alive():
            return
        self._stopping.clear()
        self._heart = threading.Thread(target=self._beat, args=(interval,), name="mutx-heartbeat", daemon=True)
        self._heart.start()

    def report_metrics(self, metrics: Mapping[str, Any] | None = None, **more: Any) -> Json:
        """`cpu_usage`, `memory_usage` (percent), `requests_processed`, `errors_count`; other names go into `custom`."""
        given = {**(metrics or {}), **more}
        known = ("cpu_usage", "memory_usage", "uptime_seconds", "requests_processed", "errors_count")
        fields = {name: given.pop(name) for name in known if name in given}
        fields.setdefault("uptime_seconds", time.monotonic() - self._started)
        custom = {**given.pop("custom", {}), **given}
        return self._send("/v1/agents/metrics", **fields, custom=custom)

    def poll_commands(self, since: str | None = None) -> list[Json]:
        """Commands that wait for this agent; acknowledge each when it is done."""
        query = {"agent_id": self.agent_id} | ({"since": since} if since else {})
        answer = self._rest.request("GET", f"/v1/agents/commands?{urlencode(query)}")
        commands: list[Json] = answer["commands"]
        return commands

    def acknowledge_command(
        self, command_id: str, *, success: bool = True, result: Json | None = None, error: str | None = None
    ) -> Json:
        body = {
            "command_id": command_id,
            "agent_id": self.agent_id,
            "success": success,
            "result": result,
            "error": error,
            "completed_at": _now(),
        }
        answer: Json = self._rest.request("POST", "/v1/agents/commands/acknowledge", body)
        return answer

    def send_log(self, message: str, level: str = "info", metadata: Mapping[str, Any] | None = None) -> Json:
        return self._send("/v1/agents/logs", level=level, message=message, metadata=dict(metadata or {}))

    def stop(self) -> None:
        """End the heartbeat and give connections back. Safe to call twice."""
        self._stopping.set()
        if self._heart is not None:
            self._heart.join()
            self._heart = None
        self._rest.close()

    def __enter__(self) -> "MutxAgentClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _send(self, path: str, **fields: Any) -> Json:
        answer: Json = self._rest.request("POST", path, {"agent_id": self.agent_id, "timestamp": _now(), **fields})
        return answer

    def _beat(self, interval: float) -> None:
        failures = 0
        pause = 0.0
        while not self._stopping.wait(pause):
            failures = 0 if self._lives() else failures + 1
            pause = min(interval, 2.0 ** min(failures, 8)) if failures else interval

    def _lives(self) -> bool:
        """One heartbeat; False if it did not arrive."""
        try:
            self.heartbeat()
        except DoorError as error:
            log.warning("a heartbeat did not arrive, it is tried again soon: %s", error)
            return False
        return True


def _rest(settings: AgentSettings) -> RestTransport:
    url = settings.url
    if url is None:
        raise ValueError("the agent client needs the HTTP address (MUTX_URL): the socket carries governed calls only")
    if url.startswith(EMBEDDED):
        return EmbeddedTransport(url.removeprefix(EMBEDDED) or None)
    return HttpTransport(url, api_key=settings.api_key, timeout=settings.timeout)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
