"""With leave to look into https, its requests are decided by method and path like plain ones."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from mutx.services.egress.authority import HOSTS, RunAuthority, begin
from mutx.services.egress.gateway import Inspection
from tests.agent.scripted_plane import ScriptedPlane
from tests.services.egress.conftest import Gate, OpenGate, TlsShop
from tests.services.egress.test_gateway import AUTH, only_get_of_public, to_elsewhere


@pytest.fixture(scope="module")
def authority() -> RunAuthority:
    return begin(time.time())


def looking(authority: RunAuthority, shop: TlsShop) -> Inspection:
    return Inspection(authority, ssl.create_default_context(cafile=str(shop.authority)))


def trusting(authority: RunAuthority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.pem)


def inside(gate: Gate, authority: RunAuthority, port: int, data: bytes) -> bytes:
    """What the gateway answers to these very bytes inside a tunnel."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=60) as plain:
        plain.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n%s\r\n" % (port, AUTH))
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with trusting(authority).wrap_socket(plain, server_hostname="127.0.0.1") as client:
            client.sendall(data)
            with client.makefile("rb") as answer:
                head = b"".join(iter(answer.readline, b"\r\n"))
                length = re.search(rb"(?i)content-length: (\d+)", head)
                assert length is not None
                return head + b"\r\n" + answer.read(int(length[1]))


def test_https_is_decided_by_method_and_path(open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority) -> None:
    gate = open_gate(ScriptedPlane(only_get_of_public), inspection=looking(authority, tls_shop))
    there = f"https://127.0.0.1:{tls_shop.port}"
    with httpx2.Client(proxy=gate.proxy, verify=trusting(authority), timeout=60) as client:
        assert (
            client.get(f"{there}/public/a?q=1").text == f"GET /public/a?q=1 host=127.0.0.1:{tls_shop.port} proxy=None"
        )
        refused = client.post(f"{there}/public/a", content=b"data")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("http.request was not run: the script says no")
    assert [call["tool_name"] for call in gate.plane.calls] == ["http.request", "http.request"]
    assert gate.plane.calls[0]["tool_args"] == {
        "host": "127.0.0.1",
        "port": tls_shop.port,
        "method": "GET",
        "scheme": "https",
        "path": "/public/a",
        "query": "q=1",
        "address": "127.0.0.1",
        "address_kind": "loopback",
    }
    assert gate.outcome()["result"]["status"] == 200  # type: ignore[index]


def test_bodies_and_every_form_of_answer_come_through(
    open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority
) -> None:
    gate = open_gate(inspection=looking(authority, tls_shop))
    there = f"https://127.0.0.1:{tls_shop.port}"
    with httpx2.Client(proxy=gate.proxy, verify=trusting(authority), timeout=60) as client:
        assert client.post(f"{there}/", content=b"x" * 300_000).text == "got 300000"
        assert client.post(f"{there}/", content=iter([b"ab", b"c"])).text == "got 3"
        assert client.get(f"{there}/chunks").text == "one two three"
        assert client.get(f"{there}/until-closed").text == "all there is"
        assert client.head(f"{there}/other").status_code == 200


def test_curl(open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl here")
    (tmp_path / "ca.pem").write_text(authority.pem)
    gate = open_gate(inspection=looking(authority, tls_shop))
    command = [curl, "-sS", "--proxy", gate.proxy, f"https://127.0.0.1:{tls_shop.port}/from-curl"]
    env = {"CURL_CA_BUNDLE": str(tmp_path / "ca.pem")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("GET /from-curl")


def test_a_policy_may_change_the_path(open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority) -> None:
    gate = open_gate(ScriptedPlane(to_elsewhere), inspection=looking(authority, tls_shop))
    with httpx2.Client(proxy=gate.proxy, verify=trusting(authority), timeout=60) as client:
        assert client.get(f"https://127.0.0.1:{tls_shop.port}/").text.startswith("GET /elsewhere?a=1")


def test_a_server_that_cannot_be_trusted_gets_nothing(
    open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority
) -> None:
    gate = open_gate(inspection=Inspection(authority, ssl.create_default_context()))
    with httpx2.Client(proxy=gate.proxy, verify=trusting(authority), timeout=60) as client:
        answer = client.get(f"https://127.0.0.1:{tls_shop.port}/")
    assert (answer.status_code, answer.json()["error"]) == (502, "unreachable")
    assert "speaks no TLS that can be trusted" in answer.json()["message"]
    assert gate.outcome()["status"] == "error"


def test_a_client_that_does_not_trust_the_run_gets_nothing(
    open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority
) -> None:
    gate = open_gate(inspection=looking(authority, tls_shop))
    pinned = ssl.create_default_context(cafile=str(tls_shop.authority))
    with httpx2.Client(proxy=gate.proxy, verify=pinned, timeout=60) as client, pytest.raises(httpx2.ConnectError):
        client.get(f"https://127.0.0.1:{tls_shop.port}/")
    assert gate.plane.calls == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\n\r\n",
        b"GET /a/../b HTTP/1.1\r\n\r\n",
        b"GET /a%2f..%2fb HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_plain_request_is_refused_undecided(
    open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority, head: bytes
) -> None:
    gate = open_gate(inspection=looking(authority, tls_shop))
    answer = inside(gate, authority, tls_shop.port, head)
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "bad_request"
    assert gate.plane.calls == []


def test_a_host_header_that_says_otherwise_is_not_carried_on(
    open_gate: OpenGate, tls_shop: TlsShop, authority: RunAuthority
) -> None:
    gate = open_gate(inspection=looking(authority, tls_shop))
    answer = inside(gate, authority, tls_shop.port, b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
    assert b"host=127.0.0.1:%d" % tls_shop.port in answer


def test_contexts_are_kept_but_not_for_ever(authority: RunAuthority) -> None:
    kept = authority.context("one.example")
    assert authority.context("one.example") is kept
    for number in range(HOSTS):
        authority.context(f"{number}.example")
    assert authority.context("one.example") is not kept
