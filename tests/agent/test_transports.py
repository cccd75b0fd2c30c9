"""What the transports do when the other side misbehaves."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mutx_agent.errors import DoorRefused, DoorUnreachable
from mutx_agent.settings import AgentSettings
from mutx_agent.transport import embedded
from mutx_agent.transport.connect import connect
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.transport.http import HttpTransport
from mutx_agent.transport.unix import SocketTransport
from tests.agent.scripted_plane import ScriptedPlane

CALL = {"action_id": "a", "tool_name": "t", "tool_args": {}}


@contextmanager
def answering(*replies: bytes) -> Iterator[str]:
    """A server that says exactly these bytes, one reply per connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for reply in replies:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(5)
    listener.close()


def response(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"nonsense\r\n\r\n",
        response("200 OK", b"{not json"),
        response("200 OK", b"[]"),
        response("200 OK", b""),
        response("502 Bad Gateway", b"<html>"),
        response("302 Found", b"", "location: http://elsewhere.invalid/"),
        response("200 OK", b"{}", "content-length: 100")[:-1],
    ],
)
def test_what_is_no_answer_is_no_permission(reply: bytes) -> None:
    with answering(reply) as url, closing(HttpTransport(url, timeout=5)) as transport, pytest.raises(DoorUnreachable):
        transport.call("decide", CALL)


def test_an_error_keeps_its_code_and_details() -> None:
    problem = {"code": "action_reused", "message": "use another id", "details": {"id": "a"}}
    reply = response("409 Conflict", json.dumps(problem).encode())
    with answering(reply) as url, pytest.raises(DoorRefused, match="use another id") as caught:
        HttpTransport(url, timeout=5).call("decide", CALL)
    assert (caught.value.code, caught.value.details, caught.value.temporary) == ("action_reused", {"id": "a"}, False)


def test_a_wait_without_an_event_is_no_answer() -> None:
    stream = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: ping\n\n"
    with answering(stream) as url, pytest.raises(DoorUnreachable, match="without an answer"):
        HttpTransport(url, timeout=5).call("wait", {"action_id": "a", "timeout": 1})


def test_connections_are_kept_and_used_again(plane: ScriptedPlane) -> None:
    with plane.http() as url:
        transport = HttpTransport(url)
        transport.call("decide", CALL)
        first = transport._pool.take()
        assert first is not None
        transport._pool.give(first)
        transport.call("status", {"action_id": "a"})
        assert transport._pool.take() is first
        first.close()


def test_a_permit_is_never_sent_over_a_connection_that_idled(plane: ScriptedPlane) -> None:
    with plane.http() as url:
        transport = HttpTransport(url)
        transport.call("decide", CALL)
        kept = transport._pool.take()
        assert kept is not None
        transport._pool.give(kept)
        kept.close()
        kept.sock = socket.socket()  # whatever goes over it fails
        assert transport.call("redeem", {"permit": "permit:a", "tool_args": {}})["action_id"] == "a"
        transport.close()


def test_a_forked_child_starts_without_connections(plane: ScriptedPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    with plane.http() as url:
        transport = HttpTransport(url)
        transport.call("decide", CALL)
        kept = transport._pool.take()
        assert kept is not None
        transport._pool.give(kept)
        parent = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: parent + 1)
        assert transport._pool.take() is None
        kept.close()


PROGRAM = """
import os
from mutx_agent import govern
from mutx_agent.governor import Governor

look = govern(lambda path: path, tool="look")
with govern.session():
    look("a")
dropped = Governor()
dropped(tool="look")(lambda path: path)("b")
del dropped
if os.fork() == 0:
    look("c")
else:
    os.wait()
    look("d")
    print("done")
"""


@pytest.mark.parametrize("door", ["http", "uds"])
def test_a_governed_program_ends_without_a_warning(plane: ScriptedPlane, tmp_path: Path, door: str) -> None:
    """Nobody closes a decorator: connections of the process, of a governor let go and of a fork are closed all the same."""
    with plane.http() as url, plane.uds(tmp_path / "s") as path:
        address = {"MUTX_URL": url} if door == "http" else {"MUTX_SOCKET": str(path)}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            env=os.environ | address | {"MUTX_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert [call["tool_args"]["path"] for call in plane.calls] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("reply", [b"", b"{}\n", b"nonsense\n", b'{"id": 9, "ok": {}}\n', b'{"id": 1, "ok"'])
def test_a_socket_that_talks_nonsense_gives_no_permission(reply: bytes, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with pytest.raises(DoorUnreachable):
        SocketTransport(str(tmp_path / "s"), timeout=5).call("decide", CALL)
    thread.join(5)
    listener.close()


def test_the_socket_carries_a_token_when_there_is_one(plane: ScriptedPlane, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(b'{"id": 1, "error": {"code": "unauthenticated", "message": "who?"}}\n')

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with (
        closing(SocketTransport(str(tmp_path / "s"), token="t", timeout=5)) as transport,
        pytest.raises(DoorRefused, match=r"who\?"),
    ):
        transport.call("decide", CALL)
    thread.join(5)
    listener.close()
    assert json.loads(heard[0]) == {"id": 1, "verb": "decide", "body": CALL, "token": "t"}


def test_embedded_mode_without_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "entry_points", lambda **_: [])
    with pytest.raises(DoorUnreachable, match="pip install mutx") as caught:
        EmbeddedTransport().call("decide", CALL)
    assert not caught.value.sent


def test_settings_choose_the_transport() -> None:
    assert isinstance(connect(AgentSettings(socket="/s", url="http://a")), SocketTransport)
    assert isinstance(connect(AgentSettings(url="http://a")), HttpTransport)
    assert isinstance(connect(AgentSettings(url="https://a")), HttpTransport)
    assert isinstance(connect(AgentSettings(url="embedded:")), EmbeddedTransport)
