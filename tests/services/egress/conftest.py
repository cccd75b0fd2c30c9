"""A gateway in front of a scripted control plane, and servers for it to reach."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from mutx.cli.run.services import RunServices
from mutx.services.egress.addresses import Networks
from mutx.services.egress.gateway import EgressGateway, Inspection
from mutx.services.egress.pump import EgressLimits
from mutx_agent import Governor
from mutx_agent.launch.namespaces import open_listener
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane
from tests.tls_road import Certificates, certificates

SECRET = "s3cret"


class Gate(NamedTuple):
    port: int
    plane: ScriptedPlane

    @property
    def proxy(self) -> str:
        return f"http://run:{SECRET}@127.0.0.1:{self.port}"

    def outcome(self, number: int = -1) -> dict[str, object]:
        """Of an action, once it has been told."""
        deadline = threading.Event()
        for _ in range(600):
            if len(self.plane.outcomes) > (number if number >= 0 else 0):
                return self.plane.outcomes[number]
            deadline.wait(0.05)
        raise AssertionError("no outcome was told")


class Shop(BaseHTTPRequestHandler):
    """Says what it was asked, in the ways that servers say things."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/chunks"):
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\nX-Trailer: 1\r\n\r\n")
            return
        if self.path.startswith("/until-closed"):
            self.send_response(200)
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(b"all there is")
            self.close_connection = True
            return
        if self.path.startswith("/nothing"):
            self.send_response(204)
            self.end_headers()
            return
        self._say(f"{self.command} {self.path} host={self.headers['host']} proxy={self.headers['proxy-authorization']}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers["content-length"]))
        self._say(f"got {len(data)}")

    def _say(self, text: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def serving(tls: Certificates | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are part of the tests
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.chain, tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="session")
def shop() -> Iterator[int]:
    """The port of a plain server."""
    with serving() as port:
        yield port


class TlsShop(NamedTuple):
    port: int
    authority: Path


@pytest.fixture(scope="session")
def tls_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsShop]:
    made = certificates(tmp_path_factory.mktemp("tls"), "127.0.0.1")
    with serving(made) as port:
        yield TlsShop(port, made.authority)


OpenGate = Callable[..., Gate]


@pytest.fixture
def open_gate() -> Iterator[OpenGate]:
    """A gateway; the loopback may be asked for unless `networks` says otherwise."""
    running: list[RunServices] = []

    def start(
        plane: ScriptedPlane | None = None,
        networks: tuple[str, ...] = ("127.0.0.0/8",),
        inspection: Inspection | None = None,
        **limits: float,
    ) -> Gate:
        plane = plane or ScriptedPlane()
        governor = Governor(EmbeddedTransport(server=plane), agent_id="bot")
        limited = EgressLimits(**limits)  # type: ignore[arg-type]
        gateway = EgressGateway(governor.action, SECRET, Networks(networks), limited, inspection)
        listener = open_listener()
        port = listener.getsockname()[1]
        services = RunServices(lambda: gateway.serve(listener))
        services.start()
        running.append(services)
        return Gate(port, plane)

    yield start
    for services in running:
        services.stop()
