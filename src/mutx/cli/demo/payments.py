"""A small payment service over HTTP, which pays whenever it is asked: two requests are two payments."""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any


class PaymentService(ThreadingHTTPServer):
    """Listens on loopback; every payment becomes a line of the journal."""

    daemon_threads = True

    def __init__(self, journal: Path) -> None:
        super().__init__(("127.0.0.1", 0), PaymentRequest)
        self._journal = journal
        self._lock = Lock()
        journal.touch()
        Thread(target=self.serve_forever, name="demo-payments", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def pay(self, payment: dict[str, Any]) -> int:
        """Do it; the number of payments so far."""
        with self._lock:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(payment) + "\n")
            return len(self.payments())

    def payments(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._journal.read_text("utf-8").splitlines()]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class PaymentRequest(BaseHTTPRequestHandler):
    """POST /payments pays, GET /payments counts."""

    server: PaymentService
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        payment = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(HTTPStatus.CREATED, {"paid": payment, "number": self.server.pay(payment)})

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK, {"count": len(self.server.payments())})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Silent: the demo shows what matters."""

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
