"""What the transports do when the other side misbehaves."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from mutx_agent.errors import DoorRefused, DoorUnreachable
from mutx_agent.settings import AgentSettings
from mutx_agent.transport import embedded
from mutx_agent.transport.base import Json
from mutx_agent.transport.connect import connect
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.transport.http import HttpTransport
from mutx_agent.transport.unix import SocketTransport
from tests.agent.scripted_plane import ScriptedPlane
from tests.tls_road import certificates

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


@pytest.mark.parametrize(("key", "said"), [(None, "set MUTX_API_KEY"), ("wrong", "sign in")])
def test_without_a_key_the_refusal_says_where_one_comes_from(key: str | None, said: str) -> None:
    refusal = response("401 Unauthorized", b'{"code": "unauthenticated", "message": "sign in"}')
    with (
        answering(refusal) as url,
        closing(HttpTransport(url, api_key=key)) as transport,
        pytest.raises(DoorRefused, match=said) as refused,
    ):
        transport.call("decide", CALL)
    assert refused.value.code == "unauthenticated"


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


@pytest.mark.parametrize("error", [b"null", b'"no"', b'{"code": null, "details": 5}'])
def test_a_refusal_that_says_nothing_is_one_all_the_same(error: bytes, tmp_path: Path) -> None:
    plane = ScriptedPlane()
    plane.call = lambda verb, body: {"error": json.loads(error)}  # type: ignore[method-assign]
    with (
        plane.uds(tmp_path / "s") as path,
        closing(SocketTransport(path, timeout=60)) as transport,
        pytest.raises(DoorRefused) as caught,
    ):
        transport.call("decide", CALL)
    assert (caught.value.code, caught.value.details, caught.value.temporary) == ("internal_error", {}, False)


def test_the_embedded_door_tells_refused_requests_and_may_be_closed_unused() -> None:
    plane = ScriptedPlane()
    EmbeddedTransport().close()
    problem = {"code": "not_found", "message": "no such agent", "details": {}}
    plane.request = lambda *_: (404, problem)  # type: ignore[method-assign]
    with closing(EmbeddedTransport(server=plane)) as transport, pytest.raises(DoorRefused, match="no such agent"):
        transport.request("GET", "/v1/agents/a")


def test_an_address_with_tls_trusts_no_stranger(tmp_path: Path) -> None:
    files = certificates(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with closing(HttpTransport(url, timeout=60)) as transport, pytest.raises(DoorUnreachable, match="CERTIFICATE"):
            transport.call("decide", CALL)
        thread.join(60)


async def test_an_await_that_is_given_up_leaves_the_call_to_end_by_itself(tmp_path: Path) -> None:
    plane, started, go_on = ScriptedPlane(), threading.Event(), threading.Event()
    ended = threading.Event()

    def slow(call: Json) -> Json:
        started.set()
        go_on.wait(60)
        ended.set()
        return {"decision": "allow"}

    plane.script = slow
    asking = asyncio.create_task(EmbeddedTransport(server=plane).acall("decide", CALL))
    await asyncio.to_thread(started.wait, 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    await asyncio.to_thread(ended.wait, 60)
    assert len(plane.calls) == 1
    [last.join(60) for last in threading.enumerate() if last.name == "mutx-call"]
    await asyncio.sleep(0)  # what the thread left for this loop


def test_a_call_may_outlive_the_loop_that_waited_for_it() -> None:
    plane, started, go_on = ScriptedPlane(), threading.Event(), threading.Event()
    plane.script = lambda _: {"decision": "allow"} if started.set() or go_on.wait(60) else {}

    async def give_up() -> None:
        asyncio.create_task(EmbeddedTransport(server=plane).acall("decide", CALL)).add_done_callback(
            asyncio.Task.cancelled
        )
        await asyncio.to_thread(started.wait, 60)

    asyncio.run(give_up())
    [thread] = (one for one in threading.enumerate() if one.name == "mutx-call")
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert len(plane.calls) == 1
