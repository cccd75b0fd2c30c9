"""A control plane that decides as a test scripts it and otherwise keeps the protocol: ids, permits, requests, doors."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mutx_agent.transport.base import Json, Transport
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.transport.http import HttpTransport
from mutx_agent.transport.unix import SocketTransport

Script = Callable[[Json], Json]
"""Call -> `decision` and whatever else the answer needs (`modified_args`, `reason`, `reason_code`)."""


class Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.problem = {"code": code, "message": message, "details": {}}
        self.status = status


def allow(_: Json) -> Json:
    return {"decision": "allow"}


def deny(_: Json) -> Json:
    return {"decision": "deny", "reason": "the script says no", "reason_code": "rule"}


def ask(_: Json) -> Json:
    return {"decision": "defer", "effect": "step_up", "reason": "a person must look"}


class ScriptedPlane:
    """Decides by `script`, remembers every call, and can be reached through three doors."""

    def __init__(self, script: Script = allow) -> None:
        self.script = script
        self.calls: list[Json] = []
        self.outcomes: list[Json] = []
        self.redeemed: list[Json] = []
        self.requests: list[tuple[str, str, Json | None, str | None]] = []
        self.rest: dict[tuple[str, str], Any] = {}
        self.remaining = 60.0
        self.drop: list[str] = []
        """Verbs whose next answer is lost after it took effect."""
        self._answers: dict[str, Json] = {}
        self._changed = threading.Condition()

    # the verbs

    def call(self, verb: str, body: Json) -> Json:
        """As the embedded server and the socket answer."""
        try:
            return {"ok": getattr(self, f"_{verb}")(body)}
        except Refusal as refusal:
            return {"error": refusal.problem}

    def answer(self, action_id: str, **fields: Any) -> None:
        """A person answers: `decision` and what goes with it."""
        with self._changed:
            self._answers[action_id] |= {"approval": None, **fields}
            self._changed.notify_all()

    def waiting(self) -> str:
        """The id of the action that waits, as soon as there is one."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(a["decision"] == "defer" for a in self._answers.values()), 10)
            return next(i for i, a in self._answers.items() if a["decision"] == "defer")

    def spend(self, action_id: str) -> None:
        """Somebody else used the permit."""
        self._answers[action_id]["permit"] = None

    def _decide(self, body: Json) -> Json:
        with self._changed:
            self.calls.append(body)
            known = self._answers.get(body["action_id"])
            if known is not None:
                return {**known, "replayed": True}
            scripted = self.script(body)
            made = {
                "action_id": body["action_id"],
                "tool_name": body["tool_name"],
                "reason": "",
                "reason_code": "rule",
                "receipt_id": f"receipt-of-{body['action_id']}",
                "permit": None if scripted["decision"] in ("deny", "defer") else f"permit:{body['action_id']}",
                "approval": {"remaining_seconds": self.remaining} if scripted["decision"] == "defer" else None,
                **scripted,
            }
            self._answers[body["action_id"]] = made
            self._changed.notify_all()
            return dict(made)

    def _status(self, body: Json) -> Json:
        return dict(self._answers[body["action_id"]])

    def _wait(self, body: Json) -> Json:
        with self._changed:
            known = self._answers[body["action_id"]]
            self._changed.wait_for(lambda: self._answers[body["action_id"]]["decision"] != "defer", body["timeout"])
            return dict(known)

    def _redeem(self, body: Json) -> Json:
        action_id = body["permit"].removeprefix("permit:")
        if self._answers[action_id]["permit"] is None:
            raise Refusal("permit_refused", "this permit was spent before")
        self._answers[action_id]["permit"] = None
        self.redeemed.append(body)
        return {"action_id": action_id, "args_hash": "", "redeemed_at": time.time()}

    def _conclude(self, body: Json) -> Json:
        self.outcomes.append(body)
        return {"action_id": body["action_id"], "receipt_id": "outcome", "status": body["status"], "replayed": False}

    # the embedded door

    def request(self, method: str, path: str, body: Json | None) -> tuple[int, Any]:
        self.requests.append((method, path, body, None))
        return 200, self.rest[method, path.partition("?")[0]]

    def close(self) -> None:
        return

    # the other doors

    @contextmanager
    def http(self, port: int = 0) -> Iterator[str]:
        server = _HttpServer(("127.0.0.1", port), _handler(self))
        server.daemon_threads = True
        with _serving(server):
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.close_connections()  # type: ignore[attr-defined]

    @contextmanager
    def uds(self, path: Path) -> Iterator[str]:
        server = _UnixServer(str(path), _line_handler(self))
        server.daemon_threads = True
        with _serving(server):
            yield str(path)
        path.unlink(missing_ok=True)

    @contextmanager
    def door(self, name: str, folder: Path) -> Iterator[Transport]:
        if name == "http":
            with self.http() as url:
                yield HttpTransport(url, api_key="key", timeout=10)
        elif name == "uds":
            with self.uds(folder / "d.sock") as path:
                yield SocketTransport(path, timeout=10)
        else:
            yield EmbeddedTransport(server=self)


class _Crowded:
    request_queue_size = 128
    """The library's 5 lets the kernel reset connections when a test opens twenty at once on a busy machine."""


class _HttpServer(_Crowded, ThreadingHTTPServer):
    pass


class _UnixServer(_Crowded, socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    connections: list[Any] = []
    process = server.process_request

    def remember(request: Any, address: Any) -> None:
        connections.append(request)
        process(request, address)

    def close_connections() -> None:
        for connection in connections:
            with suppress(OSError):  # closed already
                connection.shutdown(2)

    server.process_request = remember  # type: ignore[method-assign]
    server.close_connections = close_connections  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        close_connections()
        server.server_close()
        thread.join()


def _handler(plane: ScriptedPlane) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(length))
            path = self.path.partition("?")[0]
            verb = path.rpartition("/")[2]
            if (("POST", path)) in plane.rest:
                self._rest("POST", path, body)
                return
            reply = plane.call(verb, body)
            if verb in plane.drop:
                plane.drop.remove(verb)
                self.connection.close()
                self.close_connection = True
                return
            self._send(reply)

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path.endswith("/wait"):
                timeout = float(query.partition("=")[2])
                self._events(path.split("/")[-2], timeout)
            elif ("GET", path) in plane.rest:
                self._rest("GET", path, None)
            else:
                self._send(plane.call("status", {"action_id": path.rpartition("/")[2]}))

        def _rest(self, method: str, path: str, body: Json | None) -> None:
            plane.requests.append((method, self.path, body, self.headers.get("authorization")))
            answer = plane.rest[method, path]
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            self._respond(status, json.dumps(content).encode() if not isinstance(content, bytes) else content)

        def _events(self, action_id: str, timeout: float) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            for event in (
                plane._status({"action_id": action_id}),
                plane._wait({"action_id": action_id, "timeout": timeout}),
            ):
                name = "pending" if event["decision"] == "defer" else "resolved"
                self.wfile.write(f": ping\n\nevent: {name}\ndata: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()

        def _send(self, reply: Json) -> None:
            status = 200 if "ok" in reply else 409
            self._respond(status, json.dumps(reply.get("ok") or reply["error"]).encode())

        def _respond(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


def _line_handler(plane: ScriptedPlane) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                sent = json.loads(line)
                reply = plane.call(sent["verb"], sent["body"])
                if sent["verb"] in plane.drop:
                    plane.drop.remove(sent["verb"])
                    return
                self.wfile.write(json.dumps({"id": sent["id"], **reply}).encode() + b"\n")

    return Handler
