"""Three ways to one control plane, each real: HTTP over the ASGI app, the Unix socket, and the embedded door.

A rig speaks the same verbs whichever door it stands at; `rest` is the HTTP surface of the same plane, for people.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from mutx.governance.types import Door
from mutx.kit.errors import BY_CODE, MutxError
from mutx.server.embedded import Embedded, create
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build

Json = dict[str, Any]

POLICY = """
name: house
tools:
  mail: {critical: [to]}
  fetch: {output: {confidentiality: public, trusted: false}}
rules:
  - {id: reads, match: {tool: "read*"}, effect: allow}
  - {id: fetch, match: {tool: fetch}, effect: allow}
  - {id: shell, match: {tool: shell}, effect: deny, reason: no shells}
  - {id: mail, match: {tool: mail}, effect: modify, modify: [{redact: body, detector: ssn}]}
  - {id: pay, match: {tool: pay}, effect: step_up}
"""


class Rig(ABC):
    """One door, with an agent's key in hand."""

    door: Door

    def __init__(self, rest: "httpx2.AsyncClient | EmbeddedRest", agent_id: str) -> None:
        self.agent_id = agent_id
        self.rest = rest
        """Signed in as the local operator."""

    @abstractmethod
    async def send(self, verb: str, body: Json) -> Json:
        """The door's own answer: `{"ok": ...}` or `{"error": ...}`."""

    async def call(self, verb: str, **body: Any) -> Json:
        """The verb's answer; raises the error that the door named."""
        answer = await self.send(verb, body)
        if "error" in answer:
            error = answer["error"]
            raise BY_CODE.get(error["code"], MutxError)(error["message"], details=error["details"])
        return dict(answer["ok"])

    async def decide(self, tool: str, session: str = "s", **args: Any) -> Json:
        fields = {name[1:]: args.pop(name) for name in list(args) if name.startswith("_")}
        return await self.call(
            "decide", tool_name=tool, agent_id=self.agent_id, session_id=session, tool_args=args, **fields
        )

    async def receipts(self, session: str = "s") -> list[Json]:
        """The session's receipts, whole, as the REST surface shows them."""
        answer = await self.rest.get(f"/v1/security/receipts/session/{session}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["receipts"])


class HttpRig(Rig):
    door = Door.HTTP

    def __init__(self, rest: httpx2.AsyncClient, agent_id: str, agent: httpx2.AsyncClient) -> None:
        super().__init__(rest, agent_id)
        self._agent = agent

    async def send(self, verb: str, body: Json) -> Json:
        if verb in {"status", "wait"}:
            return await self._read(verb, body)
        answer = await self._agent.post(f"/v1/governance/{verb}", json=body)
        return {"ok": answer.json()} if answer.status_code == 200 else {"error": answer.json()}

    async def _read(self, verb: str, body: Json) -> Json:
        path = f"/v1/governance/actions/{body.pop('action_id')}"
        if verb == "status":
            answer = await self._agent.get(path)
            return {"ok": answer.json()} if answer.status_code == 200 else {"error": answer.json()}
        async with self._agent.stream("GET", f"{path}/wait", params=body, timeout=60) as stream:
            data = [line[5:] async for line in stream.aiter_lines() if line.startswith("data:")]
        return {"ok": json.loads(data[-1])}


class UdsRig(Rig):
    door = Door.UDS

    def __init__(self, rest: httpx2.AsyncClient, agent_id: str, socket: Path, token: str) -> None:
        super().__init__(rest, agent_id)
        self._socket = socket
        self._token = token

    async def send(self, verb: str, body: Json) -> Json:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            request = {"id": 1, "verb": verb, "body": body, "token": self._token}
            writer.write(json.dumps(request).encode() + b"\n")
            answer = json.loads(await reader.readline())
        finally:
            writer.close()
        assert answer.pop("id") == 1
        return dict(answer)


class EmbeddedRig(Rig):
    door = Door.EMBEDDED

    def __init__(self, rest: "EmbeddedRest", agent_id: str, embedded: Embedded) -> None:
        super().__init__(rest, agent_id)
        self._embedded = embedded

    async def send(self, verb: str, body: Json) -> Json:
        return dict(await asyncio.to_thread(self._embedded.call, verb, body))


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[ControlPlane]:
    """A started control plane with its socket, as `mutx up` has it, less the port."""
    plane = await build(Settings(home=home))
    await plane.start(socket=True)
    try:
        yield plane
    finally:
        await plane.stop()


@asynccontextmanager
async def client_of(plane: ControlPlane, token: str | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client of the plane's app; as the local operator without a token."""
    headers = {"authorization": f"Bearer {token or await plane.local_token()}"}
    transport = httpx2.ASGITransport(plane.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


async def agent_key(rest: httpx2.AsyncClient) -> tuple[str, str]:
    """Apply the policy and register an agent: its id, and its key, which is shown once."""
    applied = await rest.post("/v1/policies", json={"name": "house", "document": POLICY})
    assert applied.status_code == 201, applied.text
    registered = await rest.post("/v1/agents/register", json={"name": "bot"})
    assert registered.status_code == 200, registered.text
    return registered.json()["agent_id"], registered.json()["api_key"]


class EmbeddedRest:
    """The embedded plane's REST surface, with the two methods that stories need."""

    def __init__(self, embedded: Embedded) -> None:
        self._embedded = embedded

    async def get(self, path: str) -> httpx2.Response:
        return self._response(*await asyncio.to_thread(self._embedded.request, "GET", path))

    async def post(self, path: str, json: Json | None = None) -> httpx2.Response:
        return self._response(*await asyncio.to_thread(self._embedded.request, "POST", path, json))

    @staticmethod
    def _response(status: int, body: Any) -> httpx2.Response:
        return httpx2.Response(status, json=body)


@asynccontextmanager
async def http_rig(home: Path) -> AsyncIterator[Rig]:
    async with running(home) as plane, client_of(plane) as rest:
        agent_id, token = await agent_key(rest)
        async with client_of(plane, token) as agent:
            yield HttpRig(rest, agent_id, agent)


@asynccontextmanager
async def uds_rig(home: Path) -> AsyncIterator[Rig]:
    async with running(home) as plane, client_of(plane) as rest:
        agent_id, token = await agent_key(rest)
        yield UdsRig(rest, agent_id, plane.settings.socket, token)


@asynccontextmanager
async def embedded_rig(home: Path) -> AsyncIterator[Rig]:
    async with running(home) as plane, client_of(plane) as rest:
        agent_id, token = await agent_key(rest)
    embedded = await asyncio.to_thread(create, str(home), token=token)
    try:
        yield EmbeddedRig(EmbeddedRest(embedded), agent_id, embedded)
    finally:
        await asyncio.to_thread(embedded.close)


RIGS = {Door.HTTP: http_rig, Door.UDS: uds_rig, Door.EMBEDDED: embedded_rig}
