"""An engine inside an agent's process follows the policies of a control plane that runs elsewhere.

The control plane is a real `mutx up`; between it and the embedded one stands a relay that may die, lie and repeat.
"""

import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mutx.kit.errors import SetupError
from mutx.server.embedded import Embedded, create
from mutx.services.signing.signer import EphemeralSigner
from tests.faults.process import Up

ALLOW = "name: house\nrules: [{id: reads, match: {tool: read}, effect: allow}]\n"
DENY = ALLOW.replace("effect: allow", "effect: deny, reason: not today")
Answer = dict[str, Any]


class Relay:
    """Passes requests on. `twist` may change an answer; with `down` there is none."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.down = False
        self.twist: Callable[[Answer], Answer] = lambda answer: answer
        self.seen: list[Answer] = []
        self.url = ""

    def answer(self, path: str, key: str) -> tuple[int, bytes]:
        found = httpx2.get(self.target + path, headers={"authorization": key}, timeout=40)
        if found.status_code != 200:
            return found.status_code, found.content
        self.seen.append(found.json())
        return 200, json.dumps(self.twist(found.json())).encode()


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    relay = Relay(target)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # short waits, so that a relay that changes its mind is soon asked again
            path = self.path.replace("wait=20.0", "wait=0.2")
            try:
                status, body = (503, b"{}") if relay.down else relay.answer(path, self.headers["authorization"])
            except httpx2.HTTPError:
                status, body = 503, b"{}"
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Source:
    """The control plane that is followed."""

    def __init__(self, up: Up) -> None:
        self._up = up
        token = httpx2.post(f"{up.url}/v1/auth/local-bootstrap", json={}).json()["access_token"]
        self.http = httpx2.Client(base_url=up.url, headers={"authorization": f"Bearer {token}"}, timeout=30)
        made = self.http.post("/v1/api-keys", json={"name": "edge", "scopes": ["policies:read"]})
        assert made.status_code == 201, made.text
        self.key = made.json()["key"]
        self.trust = json.dumps(self.http.get("/v1/security/keys").json())

    @property
    def url(self) -> str:
        return self._up.url

    def put(self, document: str, name: str = "house") -> None:
        answer = self.http.put(f"/v1/policies/{name}", json={"name": name, "document": document})
        assert answer.status_code == 200, answer.text

    def follow(self, home: Path, relay: Relay, trust: str | None = None) -> Embedded:
        return create(str(home), policies_from=relay.url, policies_key=self.key, policies_trust=trust or self.trust)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("source") / "home") as running:
        yield running


@pytest.fixture
def source(up: Up) -> Iterator[Source]:
    made = Source(up)
    made.put(ALLOW)
    yield made
    made.http.delete("/v1/policies/house")
    made.http.delete("/v1/policies/more")
    made.http.close()


@pytest.fixture
def relay(source: Source) -> Iterator[Relay]:
    with relaying(source.url) as made:
        yield made


def decide(plane: Embedded) -> Answer:
    answer = plane.call("decide", {"tool_name": "read", "agent_id": "a", "session_id": "s", "tool_args": {}})
    return dict(answer["ok"])


def until(check: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sample(plane: Embedded, name: str, **labels: str) -> float:
    return plane._plane.services.registry.get_sample_value(name, labels) or 0.0


def test_a_change_there_is_in_force_here(source: Source, relay: Relay, tmp_path: Path) -> None:
    with source.follow(tmp_path / "edge", relay) as plane:
        assert decide(plane)["decision"] == "allow"
        source.put(DENY)
        until(lambda: decide(plane)["decision"] == "deny")
        source.put("name: more\nrules: []\n", "more")
        until(lambda: len(plane.request("GET", "/v1/policies")[1]) == 2)
        source.http.delete("/v1/policies/more")
        until(lambda: len(plane.request("GET", "/v1/policies")[1]) == 1)
        # what decided here is named as it is there, and is not changed here
        there = source.http.get("/v1/policies/bundle").json()
        assert decide(plane)["policy_version"] == there["policy_version"]
        for method, body in (("PUT", {"name": "house", "document": ALLOW}), ("DELETE", None)):
            status, answer = plane.request(method, "/v1/policies/house", body)
            assert (status, answer["code"]) == (409, "conflict")
            assert relay.url in answer["message"]
        source.http.delete("/v1/policies/house")
        until(lambda: plane.request("GET", "/v1/policies")[1] == [])
        assert decide(plane)["decision"] == "deny"


def test_the_last_good_ones_hold_while_nobody_answers(source: Source, relay: Relay, tmp_path: Path) -> None:
    home = tmp_path / "edge"
    with source.follow(home, relay) as plane:
        relay.down = True
        until(lambda: sample(plane, "mutx_policy_source_up") == 0.0)
        assert decide(plane)["decision"] == "allow"
    with source.follow(home, relay) as plane:  # and over a restart
        assert decide(plane)["decision"] == "allow"
        source.put(DENY)
        relay.down = False
        until(lambda: decide(plane)["decision"] == "deny")
    relay.down = True
    with pytest.raises(SetupError, match="no policies yet"):
        source.follow(tmp_path / "new", relay)


def test_what_was_tampered_with_is_refused(source: Source, relay: Relay, tmp_path: Path) -> None:
    home = tmp_path / "edge"

    def changed(answer: Answer) -> Answer:
        if answer["envelope"] is None:
            return answer
        envelope = json.loads(answer["envelope"])
        payload = b64decode(envelope["payload"]).replace(b"effect: deny", b"effect: allow")
        text = answer["envelope"].replace(envelope["payload"], b64encode(payload).decode())
        return {**answer, "envelope": text}

    with source.follow(home, relay) as plane:
        source.put(DENY)
        until(lambda: decide(plane)["decision"] == "deny")
        relay.twist = changed
        source.put(DENY.replace("not today", "not tomorrow"))
        until(lambda: sample(plane, "mutx_policy_bundles_total", outcome="refused") >= 1)
        assert "not today" in decide(plane)["reason"]
        relay.twist = lambda answer: answer
        until(lambda: "not tomorrow" in decide(plane)["reason"])
    kept = home / "policies.dsse.json"
    kept.write_text(changed({"envelope": kept.read_text()})["envelope"])
    with pytest.raises(SetupError, match="not as they were signed"):
        source.follow(home, relay)
    kept.unlink()
    with source.follow(home, relay) as plane:
        assert decide(plane)["decision"] == "deny"


def test_older_ones_are_refused(source: Source, relay: Relay, tmp_path: Path) -> None:
    home = tmp_path / "edge"
    with source.follow(home, relay) as plane:
        old = next(answer for answer in relay.seen if answer["envelope"] is not None)
        source.put(DENY)
        until(lambda: decide(plane)["decision"] == "deny")
        relay.twist = lambda answer: {**old, "revision": 10**6}
        until(lambda: sample(plane, "mutx_policy_bundles_total", outcome="refused") >= 1)
        relay.twist = lambda answer: {**old, "envelope": None}
        time.sleep(0.5)
        assert decide(plane)["decision"] == "deny"
    relay.twist = lambda answer: {**old, "revision": 10**6}
    with source.follow(home, relay) as plane:  # and not after a restart either
        until(lambda: sample(plane, "mutx_policy_bundles_total", outcome="refused") >= 1)
        assert decide(plane)["decision"] == "deny"


def test_only_the_pinned_key_counts(source: Source, relay: Relay, tmp_path: Path) -> None:
    stranger = json.dumps(EphemeralSigner().public_key.jwk())
    with pytest.raises(SetupError, match="no trusted key"):
        source.follow(tmp_path / "edge", relay, stranger)
    with pytest.raises(SetupError, match="no public key"):
        source.follow(tmp_path / "edge", relay, "trust me")
    (tmp_path / "keys.json").write_text(source.trust)
    with source.follow(tmp_path / "edge", relay, str(tmp_path / "keys.json")) as plane:
        assert decide(plane)["decision"] == "allow"
    for given in ({"policies_trust": ""}, {"policies_from": "ftp://elsewhere", "policies_trust": stranger}):
        with pytest.raises(SetupError, match="POLICY_SOURCE"):
            create(str(tmp_path / "none"), **{"policies_from": relay.url, **given})  # type: ignore[arg-type]
