"""A whole control plane with its people: the operator, one agent of theirs, and a stranger with a workspace of their own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from msgspec import Struct

from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build

Json = dict[str, Any]

AGENT = "bot"
PASSWORD = "correct horse battery"

POLICY = """
name: house
tools:
  mail: {critical: [to]}
rules:
  - {id: reads, match: {tool: "read*"}, effect: allow}
  - {id: shell, match: {tool: shell}, effect: deny, reason: no shells}
  - {id: mail, match: {tool: mail}, effect: modify, modify: [{redact: body, detector: ssn}]}
  - {id: pay, match: {tool: pay}, effect: step_up}
"""


def settings(home: Path, **given: Any) -> Settings:
    """The defaults, with rate limits out of the way."""
    names = ("rate_limit_requests", "auth_rate_limit_requests", "governance_rate_limit_requests")
    generous = dict.fromkeys(names, 10**9)
    return Settings(home=home, **{**generous, **given})


def call(tool: str, **args: Any) -> Json:
    """A decide body; names with a leading underscore are its fields, the rest arguments."""
    fields = {name[1:]: args.pop(name) for name in list(args) if name.startswith("_")}
    return {"tool_name": tool, "agent_id": AGENT, "session_id": "s", "tool_args": args, **fields}


class World(Struct, frozen=True):
    plane: ControlPlane
    operator: httpx2.AsyncClient
    token: str
    """The operator's."""
    agent_id: str
    agent_key: str
    stranger: httpx2.AsyncClient
    stranger_token: str

    async def decide(self, tool: str, **args: Any) -> Json:
        return await post(self.operator, "/v1/governance/decide", call(tool, **args))

    async def decisions(self) -> int:
        """How many receipts this control plane holds for its one session."""
        answer = await self.operator.get("/v1/security/receipts/session/s")
        return int(answer.json()["count"]) if answer.status_code == 200 else 0

    async def ask(self, door: str, verb: str, body: Any, token: str) -> Json:
        """`{"ok": ...}` or `{"error": ...}` through the `http` or the `uds` door."""
        if door == "uds":
            request = {"id": 1, "verb": verb, "body": body, "token": token}
            return await self.over_socket(json.dumps(request).encode())
        async with client(self.plane, token) as http:
            if verb in {"status", "wait"}:
                answer = await http.get(f"/v1/governance/actions/{body['action_id']}")
            else:
                answer = await http.post(f"/v1/governance/{verb}", json=body)
        return {"ok" if answer.is_success else "error": answer.json()}

    async def over_socket(self, line: bytes) -> Json:
        reader, writer = await asyncio.open_unix_connection(str(self.plane.settings.socket), limit=2**24)
        writer.write(line + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return dict(answer)


DOORS = ("http", "uds")


async def post(client: httpx2.AsyncClient, path: str, body: Any) -> Json:
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return dict(answer.json())


def assert_refused(answer: httpx2.Response, status: int, code: str) -> None:
    """The status, the stable code, and a text for people."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert len(answer.json()["message"]) > 10


@asynccontextmanager
async def started(home: Path, **given: Any) -> AsyncIterator[ControlPlane]:
    plane = await build(settings(home, **given))
    await plane.start(socket=True)
    try:
        yield plane
    finally:
        await plane.stop()


def client(plane: ControlPlane, token: str | None = None) -> httpx2.AsyncClient:
    """Whoever the token says, or nobody."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(plane.app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)


@asynccontextmanager
async def inhabited(plane: ControlPlane) -> AsyncIterator[World]:
    """The people of a fresh control plane, with the house's policy in force."""
    async with AsyncExitStack() as stack:
        token = await plane.local_token()
        operator = await stack.enter_async_context(client(plane, token))
        await post(operator, "/v1/policies", {"name": "house", "document": POLICY})
        agent = await post(operator, "/v1/agents/register", {"name": AGENT})
        account = {"email": "eve@example.org", "name": "Eve", "password": PASSWORD}
        eve = await post(operator, "/v1/auth/register", account)
        yield World(
            plane=plane,
            operator=operator,
            token=token,
            agent_id=agent["agent_id"],
            agent_key=agent["api_key"],
            stranger=await stack.enter_async_context(client(plane, eve["access_token"])),
            stranger_token=eve["access_token"],
        )
