"""The control plane inside this process: same engine, same receipts, no server.

Agent and signing key then share a process, which receipts say (`door=embedded`); it is for development and tests.
"""

import threading
from importlib.metadata import entry_points
from typing import Any, Protocol

from mutx_agent.errors import DoorUnreachable
from mutx_agent.transport.base import Json, Transport, refusal, unwrap


class EmbeddedServer(Protocol):
    """What the entry point `server` of the group `mutx.embedded` makes: `create(home: str | None)`."""

    def call(self, verb: str, body: Json) -> Json:
        """As the Unix socket answers it: `{"ok": ...}` or `{"error": ...}`. Any thread may call; it blocks."""

    def request(self, method: str, path: str, body: Json | None) -> tuple[int, Any]:
        """One REST request to the app: HTTP status and decoded JSON body."""

    def close(self) -> None: ...


def find_server() -> Any:
    """The callable that makes an embedded server. Raises DoorUnreachable with what to install."""
    found = list(entry_points(group="mutx.embedded", name="server"))
    if not found:
        raise DoorUnreachable("embedded mode needs the control plane itself: pip install mutx", sent=False)
    return found[0].load()


class EmbeddedTransport(Transport):
    """Starts the embedded control plane with the first call and keeps it until `close`."""

    def __init__(self, home: str | None = None, server: EmbeddedServer | None = None) -> None:
        self._home = home
        self._server = server
        self._lock = threading.Lock()

    def call(self, verb: str, body: Json) -> Json:
        return unwrap(self._running().call(verb, body))

    def request(self, method: str, path: str, body: Json | None = None) -> Any:
        status, answer = self._running().request(method, path, body)
        if status >= 400:
            raise refusal(answer)
        return answer

    def close(self) -> None:
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _running(self) -> EmbeddedServer:
        with self._lock:
            if self._server is None:
                server: EmbeddedServer = find_server()(self._home)
                self._server = server
            return self._server
