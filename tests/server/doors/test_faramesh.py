"""Faramesh's clients at the native governor: what the library `faramesh-sdk` 0.3.3 sends, and what it makes of the answers.

The exchanges are the library's: one connection per request, one `recv` for the answer, JSON-RPC for calls and a typed line for
deferrals. Run against the library itself they were the same.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from msgspec import Struct

from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from tests.resources.supervision.desk import all_gone, desk, eventually
from tests.server.doors.rigs import client_of

Json = dict[str, Any]

POLICY = """
name: house
rules:
  - {id: fetch, match: {tool: "http/*"}, effect: allow}
  - {id: search, match: {tool: search}, effect: allow}
  - {id: scarce, match: {tool: scarce}, effect: allow, rate: {per_session: 1}}
  - {id: refund, match: {tool: "stripe/*"}, effect: step_up}
  - {id: mail, match: {tool: mail}, effect: modify, modify: [{redact: body, detector: ssn}]}
  - {id: wires, match: {tool: wire}, effect: step_up, timeout: 1}
"""


class Governor(Struct, frozen=True):
    plane: ControlPlane
    rest: httpx2.AsyncClient

    async def exchange(self, message: Any) -> Json:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        return await asyncio.to_thread(_exchange, self.plane.settings.faramesh_path, line)

    async def govern(self, tool: str, operation: str, args: Any, agent: str = "clerk", **more: Any) -> Json:
        """As `faramesh.transport` asks."""
        params = {"agent_id": agent, "tool": tool, "operation": operation, "tool_id": tool, "args": args}
        params |= {"action_type": "tool_call", "principal_token": "", **more}
        answer = await self.exchange({"jsonrpc": "2.0", "id": 1, "method": "govern", "params": params})
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", 1)
        return dict(answer.get("result") or answer["error"])

    async def poll(self, token: str, agent: str = "clerk") -> str:
        """As `faramesh.autopatch` asks, and what it takes for an answer."""
        answer = await self.exchange({"type": "poll_defer", "agent_id": agent, "defer_token": token})
        assert not answer.get("error"), answer
        return str(answer["status"])

    async def answer(self, verdict: str) -> None:
        (waiting,) = (await self.rest.get("/v1/approvals", params={"status": "PENDING"})).json()["items"]
        body = {"request_id": waiting["id"], "verdict": verdict}
        assert (await self.rest.post("/v1/governance/resolve", json=body)).is_success


def _exchange(path: Path, line: bytes) -> Json:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30.0)
        connection.connect(str(path))
        connection.sendall(line + b"\n")
        return dict(json.loads(connection.recv(65536)))


@pytest.fixture
async def governor(tmp_path: Path) -> AsyncIterator[Governor]:
    plane = await build(Settings(home=tmp_path / "home"))
    await plane.start(socket=True)
    try:
        async with client_of(plane) as rest:
            assert (await rest.post("/v1/policies", json={"name": "house", "document": POLICY})).is_success
            yield Governor(plane, rest)
    finally:
        await plane.stop()


async def test_calls_are_permitted_and_denied_by_the_names_that_policies_know(governor: Governor) -> None:
    allowed = await governor.govern("http", "get", {"url": "u"})
    assert (allowed["effect"], allowed["reason_code"]) == ("PERMIT", "RULE")
    assert "defer_token" not in allowed
    plain = await governor.govern("search", "invoke", {"q": 1})
    assert plain["effect"] == "PERMIT", "`invoke` is what a client calls a tool without operations"
    denied = await governor.govern("shell", "run", {"cmd": "ls"})
    assert (denied["effect"], denied["reason_code"], denied["retry_permitted"]) == ("DENY", "DEFAULT", False)
    assert denied["structured_denial"]["reason"] == denied["reason"]
    receipt = (await governor.rest.get(f"/v1/security/receipts/{denied['denial_token']}")).json()
    assert "shell/run" in json.dumps(receipt)
    sessions = {(await governor.govern("http", "get", {}))["receipt_id"] for _ in range(2)}
    assert len(sessions) == 2


async def test_the_typed_form_is_answered_flat(governor: Governor) -> None:
    call = {
        "type": "govern",
        "call_id": str(uuid4()),
        "agent_id": "clerk",
        "session_id": "s",
        "tool_id": "http/get",
        "args": {},
    }
    first, again = await governor.exchange(call), await governor.exchange(call)
    assert (first["effect"], first["call_id"]) == ("PERMIT", call["call_id"])
    assert first["receipt_id"] == again["receipt_id"], "the same call again is the same call"
    other = await governor.exchange({**call, "args": {"x": 1}})
    assert (other["effect"], other["code"], other["reason_code"]) == ("DENY", "action_reused", "ACTION_REUSED")
    counted = {**call, "call_id": "1", "tool_id": "scarce"}
    assert (await governor.exchange(counted))["effect"] == "PERMIT"
    limited = await governor.exchange({**counted, "call_id": "2"})
    assert (limited["effect"], limited["call_id"], limited["retry_permitted"]) == ("DENY", "2", True)
    assert (await governor.exchange({"type": "status"}))["status"] == "ok"
    receipts = (await governor.rest.get("/v1/security/receipts/session/s")).json()
    assert receipts["count"] == 3


async def test_an_approval_is_told_once(governor: Governor) -> None:
    waits = await governor.govern("stripe", "refund", {"amount": 5})
    assert waits["effect"] == "DEFER"
    token = waits["defer_token"]
    assert await governor.poll(token) == "pending"
    await governor.answer("approve")
    stranger = await governor.exchange({"type": "poll_defer", "agent_id": "other", "defer_token": token})
    assert stranger["code"] == "permission_denied", "it is another agent's"
    assert await governor.poll(token) == "approved"
    assert await governor.poll(token) == "expired", "whoever heard it runs the call; nobody runs it twice"
    rpc = {"jsonrpc": "2.0", "id": "x", "method": "poll_defer", "params": {"agent_id": "clerk", "defer_token": token}}
    assert (await governor.exchange(rpc))["result"]["status"] == "expired"


async def test_a_denied_and_an_overdue_deferral(governor: Governor) -> None:
    refund = (await governor.govern("stripe", "refund", {"amount": 5}))["defer_token"]
    await governor.answer("deny")
    assert await governor.poll(refund) == "denied"
    wire = (await governor.govern("wire", "invoke", {"amount": 5}))["defer_token"]

    async def over() -> bool:
        return await governor.poll(wire) != "pending"

    await eventually(over)
    assert await governor.poll(wire) == "expired"
    assert await governor.poll(str(uuid4())) == "unknown"


async def test_a_call_that_would_run_changed_is_not_run(governor: Governor) -> None:
    call = {"call_id": str(uuid4())}
    said = await governor.govern("mail", "invoke", {"body": "ssn 123-45-6789"}, **call)
    assert (said["effect"], said["reason_code"]) == ("DENY", "MODIFY_UNSUPPORTED")
    assert await governor.govern("mail", "invoke", {"body": "ssn 123-45-6789"}, **call) | {"latency_ms": 0} == said | {
        "latency_ms": 0
    }
    action = (await governor.rest.get(f"/v1/governance/actions/{call['call_id']}")).json()
    assert action["outcome"] == "error", "and that stands on record"
    assert await governor.poll(call["call_id"]) == "denied"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"not json", "malformed_body"),
        (b"[]", "malformed_body"),
        (b"{}", "malformed_body"),
        (b'{"type": 7}', "malformed_body"),
        (b'{"method": "govern", "params": []}', "malformed_body"),
        (b'{"type": "govern", "tool_id": "t"}', "invalid_input"),
        (b'{"type": "govern", "agent_id": "a"}', "invalid_input"),
        (b'{"type": "govern", "agent_id": 1, "tool_id": "t"}', "invalid_input"),
        (b'{"type": "govern", "agent_id": "a", "tool_id": "t", "args": []}', "invalid_input"),
        (b'{"type": "govern", "agent_id": "a", "tool_id": "t", "principal_token": 1}', "invalid_input"),
        (b'{"type": "govern", "agent_id": "a", "tool_id": "t", "principal_token": "nobody"}', "unauthenticated"),
        (b'{"type": "kill", "agent_id": "a"}', "invalid_input"),
        (b'{"type": "poll_defer", "defer_token": "t"}', "invalid_input"),
    ],
)
async def test_whatever_is_wrong_is_an_error_and_no_permission(governor: Governor, line: bytes, says: str) -> None:
    answer = await governor.exchange(line)
    assert answer["code"] == says
    assert answer["error"]
    assert answer.get("effect", "DENY") == "DENY"


async def test_errors_in_json_rpc(governor: Governor) -> None:
    codes = {}
    for name, message in {
        "unknown": {"method": "shutdown"},
        "params": {"method": "govern", "params": {"agent_id": "a"}},
        "refused": {"method": "govern", "params": {"agent_id": "a", "tool": "t", "principal_token": "nobody"}},
    }.items():
        answer = await governor.exchange({"jsonrpc": "2.0", "id": name, **message})
        assert answer["id"] == name
        assert "result" not in answer
        codes[name] = answer["error"]["code"]
    assert codes == {"unknown": -32601, "params": -32602, "refused": -32000}


async def test_a_line_without_end_is_cut_off(governor: Governor) -> None:
    answer = await asyncio.to_thread(_flood, governor.plane.settings.faramesh_path)
    assert answer["code"] == "too_large"
    assert (await governor.govern("http", "get", {}))["effect"] == "PERMIT"


def _flood(path: Path) -> Json:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30.0)
        connection.connect(str(path))
        connection.sendall(b"x" * 1_000_002)
        return dict(json.loads(connection.recv(65536)))


async def test_a_key_speaks_for_its_agent_only(governor: Governor) -> None:
    made = (await governor.rest.post("/v1/agents/register", json={"name": "clerk"})).json()
    key = {"principal_token": made["api_key"]}
    own = await governor.govern("http", "get", {}, agent=made["agent_id"], **key)
    assert own["effect"] == "PERMIT"
    assert (await governor.govern("http", "get", {}, agent="", **key))["effect"] == "PERMIT"
    other = await governor.govern("http", "get", {}, agent="other", **key)
    assert other["data"]["code"] == "permission_denied"


async def test_the_socket_is_its_owners_and_nobody_elses(governor: Governor, tmp_path: Path) -> None:
    path = governor.plane.settings.faramesh_path
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    other = await build(Settings(home=tmp_path / "other", faramesh_socket=shared / "f.sock"))
    try:
        with pytest.raises(SetupError, match="alone"):
            await other.start(socket=True)
        assert not other.settings.socket.exists(), "neither of them is left open"
    finally:
        await other.stop()


async def test_there_is_no_socket_where_none_is_wanted(tmp_path: Path) -> None:
    plane = await build(Settings(home=tmp_path / "home", faramesh_enabled=False))
    await plane.start(socket=True)
    try:
        assert plane.settings.socket.exists()
        assert not plane.settings.faramesh_path.exists()
    finally:
        await plane.stop()


CALLER = """
import json, os, socket, sys, time
def ask(path, message):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path); s.sendall(json.dumps(message).encode() + b"\\n"); return json.loads(s.recv(65536))
params = {"agent_id": os.environ["FARAMESH_AGENT_ID"], "tool": "search", "operation": "invoke", "args": {}}
def govern(**more):
    answer = ask(os.environ["FARAMESH_SOCKET"], {"jsonrpc": "2.0", "id": 1, "method": "govern", "params": {**params, **more}})
    return answer.get("result", {}).get("effect") or answer["error"]["data"]["code"]
print("as itself", govern(), flush=True)
print("as another", govern(agent_id="another"), flush=True)
body = {"tool_name": "search", "agent_id": os.environ["MUTX_AGENT_ID"], "session_id": "s", "tool_args": {}}
print("own socket", ask(os.environ["MUTX_SOCKET"], {"id": 1, "verb": "decide", "body": body})["ok"]["effect"], flush=True)
if os.fork() == 0:
    os.setsid()
    print("a daemon of it", govern(agent_id="another"), flush=True)
    os._exit(0)
os.wait()
time.sleep(1000)
"""


async def test_a_supervised_agent_is_known_by_its_process(tmp_path: Path) -> None:
    """In its own workspace, which need not be the operator's, as itself and as nobody else; also what it has started."""
    program = tmp_path / "caller.py"
    program.write_text(CALLER)
    profile = {"caller": {"command": [sys.executable, str(program)]}}
    async with desk(tmp_path, more_profiles=profile) as here:
        team = (await here.http.post("/v1/workspaces", json={"name": "team"})).json()["id"]
        own = (await here.http.post("/v1/auth/local-bootstrap", json={"name": "op"})).json()
        refreshed = {"refresh_token": own["refresh_token"], "workspace_id": team}
        token = (await here.http.post("/v1/auth/refresh", json=refreshed)).json()["access_token"]
        here.http.headers["authorization"] = f"Bearer {token}"
        assert (await here.http.post("/v1/policies", json={"name": "house", "document": POLICY})).is_success
        agent = await here.agent()
        begun = await here.start(agent, "caller")
        said = await here.until_said(agent, "a daemon of it")
        assert said == [
            "as itself PERMIT",
            "as another permission_denied",
            "own socket allow",
            "a daemon of it permission_denied",
        ]
        sessions = (await here.http.get("/v1/audit/events", params={"agent_id": agent})).json()["events"]
        assert any(event["session_id"].startswith("supervised-") for event in sessions)
        await here.do(agent, "stop")
        await all_gone([begun["pid"]])


async def test_over_http_the_same_calls_are_decided_alike(governor: Governor) -> None:
    """As the library asks with FARAMESH_REMOTE_URL (`/v1/evaluate`), and as its `govern()` asks (`/v1/gate/decide`)."""

    async def evaluate(tool_id: str, **more: Any) -> Json:
        car = {"agent_id": "clerk", "tool_id": tool_id, "action_type": "tool_call", "args": {"n": 1}, **more}
        answer = await governor.rest.post("/v1/evaluate", json=car)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def gate(tool: str, operation: str) -> Json:
        call = {"agent_id": "clerk", "tool": tool, "operation": operation, "params": {"n": 1}, "context": {}}
        answer = await governor.rest.post("/v1/gate/decide", json=call)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    assert (await evaluate("http/get"))["effect"] == "PERMIT"
    assert (await evaluate("search/invoke"))["effect"] == "PERMIT"
    denied = await evaluate("shell/run")
    assert (denied["effect"], denied["structured_denial"]["reason_code"]) == ("DENY", "DEFAULT")
    assert (await evaluate("mail", args={"body": "ssn 123-45-6789"}))["reason_code"] == "MODIFY_UNSUPPORTED"
    token = (await evaluate("stripe/refund"))["defer_token"]
    assert await governor.poll(token) == "pending", "one deferral at every door"
    assert [(await gate(*call))["outcome"] for call in (("http", "get"), ("shell", "run"), ("stripe", "refund"))] == [
        "EXECUTE",
        "HALT",
        "ABSTAIN",
    ]
    known = await gate("search", "invoke")
    action = (await governor.rest.get(f"/v1/governance/actions/{known['provenance_id']}")).json()
    assert action["action_hash"] == known["request_hash"], "it is on record: what follows an EXECUTE runs"
    nameless = await governor.rest.post("/v1/evaluate", json={"agent_id": "", "tool_id": "search"})
    assert nameless.status_code == 422
