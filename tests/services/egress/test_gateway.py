"""Outbound requests are decided by host, method and path, and go where they were decided to go: with real clients."""

import json
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import httpx2
import pytest

from mutx.services.egress.addresses import Resolved
from tests.agent.scripted_plane import Json, ScriptedPlane, ask, deny
from tests.services.egress.conftest import Gate, OpenGate, TlsShop


def only_get_of_public(call: Json) -> Json:
    args = call["tool_args"]
    fits = args["method"] == "GET" and args["path"].startswith("/public/")
    return {"decision": "allow"} if fits else deny(call)


def to_elsewhere(call: Json) -> Json:
    return {"decision": "modify", "modified_args": call["tool_args"] | {"path": "/elsewhere", "query": "a=1"}}


def raw(gate: Gate, data: bytes) -> bytes:
    """What the gateway answers to these very bytes."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def send_for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 4096)


AUTH = b"Proxy-Authorization: Basic cnVuOnMzY3JldA==\r\n"


class TestPlainRequests:
    def test_urllib_is_decided_by_method_and_path(self, open_gate: OpenGate, shop: int) -> None:
        gate = open_gate(ScriptedPlane(only_get_of_public))
        client = urllib.request.build_opener(urllib.request.ProxyHandler({"http": gate.proxy}))
        with client.open(f"http://127.0.0.1:{shop}/public/a?q=1", timeout=30) as answer:
            assert answer.read().decode() == f"GET /public/a?q=1 host=127.0.0.1:{shop} proxy=None"
        with pytest.raises(urllib.error.HTTPError) as refused:
            client.open(f"http://127.0.0.1:{shop}/secret", timeout=30)
        assert refused.value.code == 403
        assert json.loads(refused.value.read())["message"].startswith("http.request was not run: the script says no")
        assert gate.plane.calls[0]["tool_args"] == {
            "host": "127.0.0.1",
            "port": shop,
            "method": "GET",
            "scheme": "http",
            "path": "/public/a",
            "query": "q=1",
            "address": "127.0.0.1",
            "address_kind": "loopback",
        }
        assert gate.outcome()["result"]["status"] == 200  # type: ignore[index]

    @pytest.mark.parametrize(
        ("path", "text"), [("/chunks", "one two three"), ("/until-closed", "all there is"), ("/nothing", "")]
    )
    def test_every_form_of_answer_comes_through(self, open_gate: OpenGate, shop: int, path: str, text: str) -> None:
        with httpx2.Client(proxy=open_gate().proxy, timeout=30) as client:
            assert client.get(f"http://127.0.0.1:{shop}{path}").text == text
            assert client.head(f"http://127.0.0.1:{shop}/other").status_code == 200

    def test_bodies_come_through_in_both_forms(self, open_gate: OpenGate, shop: int) -> None:
        with httpx2.Client(proxy=open_gate().proxy, timeout=30) as client:
            where = f"http://127.0.0.1:{shop}/"
            assert client.post(where, content=b"x" * 200_000).text == "got 200000"
            assert client.post(where, content=(b"y" * 1000 for _ in range(5))).text == "got 5000"

    @pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
    def test_curl(self, open_gate: OpenGate, shop: int) -> None:
        gate = open_gate()
        command = ["curl", "-sS", "--proxy", gate.proxy, "-H", "Expect: 100-continue", "-d", "z" * 3000]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{shop}/"], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout == "got 3000"

    def test_a_policy_may_change_the_path(self, open_gate: OpenGate, shop: int) -> None:
        with httpx2.Client(proxy=open_gate(ScriptedPlane(to_elsewhere)).proxy, timeout=30) as client:
            assert "/elsewhere?a=1" in client.get(f"http://127.0.0.1:{shop}/").text

    @pytest.mark.parametrize("change", [{"host": "example.org"}, {"path": "/a b"}, {"port": 1}, {"new": 1}])
    def test_what_cannot_be_changed_is_not_sent(self, open_gate: OpenGate, shop: int, change: Json) -> None:
        plane = ScriptedPlane(lambda call: {"decision": "modify", "modified_args": call["tool_args"] | change})
        gate = open_gate(plane)
        with httpx2.Client(proxy=gate.proxy, timeout=30) as client:
            answer = client.get(f"http://127.0.0.1:{shop}/")
        assert (answer.status_code, answer.json()["error"]) == (403, "cannot_modify")
        assert gate.outcome()["status"] == "error"

    def test_a_person_is_asked_and_the_request_waits(self, open_gate: OpenGate, shop: int) -> None:
        plane = ScriptedPlane(ask)
        gate = open_gate(plane)
        with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as client:
            client.sendall(b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (shop, AUTH))
            action = plane.waiting()
            plane.answer(action, decision="allow", permit=f"permit:{action}")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        assert plane.redeemed


class TestTunnels:
    def test_https_is_decided_by_host_and_port(self, open_gate: OpenGate, tls_shop: TlsShop) -> None:
        gate = open_gate()
        trust = ssl.create_default_context(cafile=str(tls_shop.authority))
        with httpx2.Client(proxy=gate.proxy, verify=trust, timeout=30) as client:
            assert client.get(f"https://127.0.0.1:{tls_shop.port}/quiet").text.startswith("GET /quiet")
        call = gate.plane.calls[0]
        assert (call["tool_name"], call["tool_args"]["host"], call["tool_args"]["port"]) == (
            "net.connect",
            "127.0.0.1",
            tls_shop.port,
        )
        assert "path" not in call["tool_args"]
        assert gate.outcome()["result"]["received"] > 0  # type: ignore[index]

    def test_a_denied_tunnel_is_not_opened(self, open_gate: OpenGate, tls_shop: TlsShop) -> None:
        with httpx2.Client(proxy=open_gate(ScriptedPlane(deny)).proxy, timeout=30) as client:  # noqa: SIM117
            with pytest.raises(httpx2.ProxyError, match="403"):
                client.get(f"https://127.0.0.1:{tls_shop.port}/")

    def test_a_tunnel_is_not_led_elsewhere(self, open_gate: OpenGate, tls_shop: TlsShop) -> None:
        gate = open_gate(ScriptedPlane(to_elsewhere))
        answer = raw(gate, b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n%s\r\n" % (tls_shop.port, AUTH))
        assert code_of(answer) == (403, "cannot_modify")

    def test_bytes_beyond_the_limit_end_it(self, open_gate: OpenGate, tls_shop: TlsShop) -> None:
        gate = open_gate(body=1000)
        request = b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n%s\r\n" % (tls_shop.port, AUTH)
        with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as client:
            client.sendall(request)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            with pytest.raises(OSError):
                send_for_ever(client)
        assert gate.outcome()["status"] == "error"


class TestWhoMayAsk:
    @pytest.mark.parametrize("header", [b"", b"Proxy-Authorization: Basic d3Jvbmc6b25l\r\n"])
    def test_others_of_this_machine_may_not(self, open_gate: OpenGate, shop: int, header: bytes) -> None:
        gate = open_gate()
        answer = raw(gate, b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (shop, header))
        assert code_of(answer) == (407, "unauthenticated")
        assert b"Proxy-Authenticate: Basic" in answer
        assert not gate.plane.calls

    def test_no_more_connections_than_allowed(self, open_gate: OpenGate, shop: int) -> None:
        answer = raw(open_gate(connections=0), b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (shop, AUTH))
        assert code_of(answer) == (503, "too_many_connections")


class TestWhere:
    def test_addresses_that_are_not_public_need_to_be_named(self, open_gate: OpenGate, shop: int) -> None:
        gate = open_gate(networks=())
        answer = raw(gate, b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (shop, AUTH))
        assert code_of(answer) == (403, "address_not_public")
        assert "loopback" in str(gate.outcome()["error"])

    def test_the_address_that_was_decided_on_is_dialled(
        self, open_gate: OpenGate, shop: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name that leads elsewhere a moment later leads the request nowhere else."""
        answers = iter([Resolved("127.0.0.1", "loopback")])

        async def once(host: str, port: int) -> Resolved:
            return next(answers)

        monkeypatch.setattr("mutx.services.egress.gateway.resolve", once)
        answer = raw(open_gate(), b"GET http://moving.example:%d/ HTTP/1.1\r\n%s\r\n" % (shop, AUTH))
        assert b"host=moving.example" in answer

    def test_a_name_without_an_address(self, open_gate: OpenGate) -> None:
        answer = raw(open_gate(), b"GET http://nowhere.invalid/ HTTP/1.1\r\n%s\r\n" % AUTH)
        assert code_of(answer) == (502, "no_address")

    def test_a_server_that_is_not_there(self, open_gate: OpenGate) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        answer = raw(open_gate(), b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (port, AUTH))
        assert code_of(answer) == (502, "unreachable")

    def test_a_host_header_that_says_otherwise_is_not_carried_on(self, open_gate: OpenGate, shop: int) -> None:
        answer = raw(open_gate(), b"GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: other.example\r\n%s\r\n" % (shop, AUTH))
        assert b"host=127.0.0.1" in answer
        assert b"other.example" not in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n",
        b"GET https://a.example/ HTTP/1.1\r\n",
        b"GET http://user:pass@a.example/ HTTP/1.1\r\n",
        b"GET http://a.example/../b HTTP/1.1\r\n",
        b"GET http://a.example/x/%2e%2e/b HTTP/1.1\r\n",
        b"GET http://a.example/x%2f..%2fb HTTP/1.1\r\n",
        b"GET http://a.example:99999/ HTTP/1.1\r\n",
        b"GET http:///path HTTP/1.1\r\n",
        b"GET http://a.example/\xff HTTP/1.1\r\n",
        b"GET http://a.example/ HTTP/2\r\n",
        b"GET  http://a.example/ HTTP/1.1\r\n",
        b"CONNECT a.example HTTP/1.1\r\n",
        b"CONNECT [::1:443 HTTP/1.1\r\n",
        b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        b"POST http://a.example/ HTTP/1.1\r\nContent-Length: one\r\n",
        b"POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nbad header\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nA: b\nC: d\r\n",
        b"GET http://a.example/ HTTP/1.1\r\n" + b"A: b\r\n" * 300,
        b"GET http://a.example/ HTTP/1.1\r\nA: " + b"b" * 100_000 + b"\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(open_gate: OpenGate, head: bytes) -> None:
    gate = open_gate()
    assert code_of(raw(gate, head + AUTH + b"\r\n")) == (400, "bad_request")
    assert not gate.plane.calls


@pytest.mark.parametrize("name", [b"Content-Length", b"Transfer-Encoding"])
def test_what_says_where_a_body_ends_goes_on_whatever_the_client_says_of_it(
    open_gate: OpenGate, shop: int, name: bytes
) -> None:
    """Without it, the server would take the body for another request, which nobody has decided."""
    body = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = {
        b"Content-Length": (b"%d" % len(body), body),
        b"Transfer-Encoding": (b"chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
    }
    value, data = sent[name]
    head = b"POST http://127.0.0.1:%d/ HTTP/1.1\r\nConnection: %s\r\n%s: %s\r\n%s\r\n" % (shop, name, name, value, AUTH)
    assert raw(open_gate(), head + data).endswith(b"got %d" % len(body))


@pytest.mark.parametrize("body", [b"zz\r\n", b"\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"fffffffff\r\n"])
def test_chunks_that_lie_end_the_exchange(open_gate: OpenGate, shop: int, body: bytes) -> None:
    gate = open_gate()
    head = b"POST http://127.0.0.1:%d/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n%s\r\n" % (shop, AUTH)
    assert code_of(raw(gate, head + body)) == (502, "unreachable")
    assert gate.outcome()["status"] == "error"


def answered_with(gate: Gate, answer: bytes) -> bytes:
    """What a client gets where the server says exactly this."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as client:
            client.sendall(b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%s\r\n" % (server.getsockname()[1], AUTH))
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(65536)
                accepted.sendall(answer)
            got = b""
            while piece := client.recv(65536):
                got += piece
    return got


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/3 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\r\n\r\n",
        b"",
    ],
)
def test_servers_that_speak_otherwise_are_not_passed_on(open_gate: OpenGate, answer: bytes) -> None:
    gate = open_gate()
    assert code_of(answered_with(gate, answer)) == (502, "unreachable")
    assert gate.outcome()["status"] == "error"


def test_an_answer_that_breaks_off_is_no_success(open_gate: OpenGate) -> None:
    gate = open_gate()
    assert answered_with(gate, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort").endswith(b"short")
    assert gate.outcome()["status"] == "error"


def test_interim_answers_stay_behind(open_gate: OpenGate) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    assert answered_with(open_gate(), hints).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_says_nothing_is_not_waited_for(open_gate: OpenGate) -> None:
    assert code_of(raw(open_gate(head=0.05), b"GET http://")) == (408, "too_slow")
