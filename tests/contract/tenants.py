"""Two tenants of one control plane: Ana, who has one of everything, and Eve, who has only heard of it."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
import uvloop
from sqlalchemy import text

from mutx.server.wiring import ControlPlane, build
from mutx.services.jobs.model import NewJob
from tests.contract.requests import Described, Request, described
from tests.faults.world import PASSWORD, settings

T = TypeVar("T")
MARK = "of-ana"
"""Stands in whatever Ana has written, so that it is recognised wherever it turns up."""

POLICY = f"""
name: house-{MARK}
rules:
  - {{id: reads, match: {{tool: "read*"}}, effect: allow}}
  - {{id: pay, match: {{tool: pay}}, effect: step_up}}
"""
HANG_SECONDS = 10.0
"""No answer takes this long: what would be a hang is an error."""


class Tenants:
    """On an event loop that runs while a request does."""

    def __init__(self, home: Path) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.plane: ControlPlane = self.run(build(settings(home)))
        self.ana = self._person(f"ana-{MARK}")
        self._eve, self._eves = self._person("eve"), 1
        self._left_something = False
        self.operations: Mapping[str, Described] = {op.name: op for op in described()}
        self.known = self._things()
        self._made_by_themselves()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def stranger(self, method: str) -> httpx2.AsyncClient:
        """Eve, with nothing of her own; another one after each attempt that may have left something with her."""
        if method != "get" or self._left_something:
            self.run(self._eve.aclose())
            self._eve, self._eves = self._person(f"eve{self._eves}"), self._eves + 1
        self._left_something = method != "get"
        return self._eve

    def send(self, http: httpx2.AsyncClient, request: Request) -> httpx2.Response:
        async def once() -> httpx2.Response:
            async with asyncio.timeout(HANG_SECONDS):
                return await http.request(request.method, request.path, params=request.query, json=request.body)

        return self.run(once())

    def do(self, http: httpx2.AsyncClient, method: str, path: str, body: Any = None) -> Any:
        answer = self.run(http.request(method, path, json=body))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def anas_rows(self) -> set[str]:
        """Every row of the store in which anything of Ana's stands."""
        mine = [MARK, *self.secrets]
        return {row for row in self._rows() if any(word in row for word in mine)}

    @property
    def secrets(self) -> set[str]:
        """What of Ana's is found nowhere else."""
        return {str(value) for name, value in self.known.items() if len(str(value)) > 20}

    def missing(self) -> Mapping[str, Any]:
        """Ids like Ana's, of nothing."""
        return {name: _another(value) for name, value in self.known.items()}

    def close(self) -> None:
        self.run(self.ana.aclose())
        self.run(self._eve.aclose())
        self.run(self.plane.stop())
        self._runner.close()

    def _person(self, name: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.plane.app, raise_app_exceptions=False)
        http = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        account = {"email": f"{name}@example.org", "name": name, "password": PASSWORD}
        token = self.do(http, "POST", "/v1/auth/register", account)["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        return http

    def _things(self) -> dict[str, Any]:
        """Field or path parameter -> what it is called there. What is missing here is made by `_made_by_themselves`."""
        me, do = self.ana, self.do
        house, session = f"house-{MARK}", f"session-{MARK}"
        do(me, "POST", "/v1/policies", {"name": house, "document": POLICY})
        agent = do(me, "POST", "/v1/agents/register", {"name": f"agent-{MARK}"})
        do(me, "PATCH", f"/v1/agents/{agent['agent_id']}/config", {"config": {"image": MARK}})
        command = do(me, "POST", f"/v1/agents/{agent['agent_id']}/commands", {"action": "restart"})
        call = {"agent_id": agent["agent_id"], "session_id": session, "tool_args": {"to": MARK}}
        waiting = do(me, "POST", "/v1/governance/decide", {"tool_name": "pay", **call})
        allowed = do(me, "POST", "/v1/governance/decide", {"tool_name": "read", **call})
        granting = do(me, "POST", "/v1/governance/decide", {"tool_name": "pay", **call})
        answered = {"request_id": granting["approval"]["request_id"], "verdict": "approve", "grant": {}}
        do(me, "POST", "/v1/governance/resolve", answered)
        tool = {"name": f"tool-{MARK}", "description": MARK}
        observed = do(me, "POST", "/v1/mcp/tools/observe", {"server": "shop", "tools": [tool]})
        part = {"delegator": agent["agent_id"], "delegate": f"sub-{MARK}", "tools": [{"tool": "read"}], "seconds": 60}
        handed = do(me, "POST", "/v1/delegations", part)
        about_me = do(me, "GET", "/v1/auth/me")
        job = NewJob(id=f"mail.{uuid4()}", kind="mail", workspace_id=about_me["workspace_id"], payload={"to": MARK})
        assert self.plane.services.jobs is not None
        self.run(self.plane.services.jobs.enqueue(job))
        return {
            "agent_id": agent["agent_id"],
            "command_id": command["command_id"],
            "job_id": job.id,
            "key_id": do(me, "POST", "/v1/api-keys", {"name": f"ci-{MARK}"})["id"],
            "request_id": waiting["approval"]["request_id"],
            "token": waiting["approval"]["token"],
            "action_id": allowed["action_id"],
            "parent_action_id": waiting["action_id"],
            "permit": allowed["permit"],
            "receipt_id": allowed["receipt_id"],
            "policy_version": allowed["policy_version"],
            "tool_id": observed["tools"][0]["tool_id"],
            "delegation_id": handed["id"],
            "delegation": handed["token"],
            "grant_id": do(me, "GET", "/v1/approvals/grants")[0]["id"],
            "trace_id": allowed["action_id"],
            "session_id": session,
            "name": house,
            "workspace_id": about_me["workspace_id"],
            "user_id": about_me["id"],
            "principal": about_me["id"],
        }

    def _made_by_themselves(self) -> None:
        """An id that nobody listed above is that of a thing created where its path says: POST /things -> /things/{id}."""
        creators = {op.path: op for op in self.operations.values() if op.method == "post"}
        for op in (op for op in self.operations.values() if op.scope):
            for parameter in op.parameters("path"):
                name, place = parameter["name"], op.path.partition("/{%s" % parameter["name"])[0]  # noqa: UP031
                if name in self.known:
                    continue
                assert place in creators, f"{op.name}: say in tests/contract/tenants.py what a {name} is"
                request = creators[place].request({**self.known, "name": f"{name}-{MARK}"})
                answer = self.send(self.ana, request)
                assert answer.is_success, f"{op.name}: make a {name} in tests/contract/tenants.py; {answer.text}"
                made = answer.json()
                self.known[name] = made.get(name) or made["id"]

    def _rows(self) -> Iterator[str]:
        async def read() -> list[str]:
            async with self.plane.services.database.read() as session:
                tables = await session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
                found = []
                for table in tables.all():
                    rows = await session.execute(text(f'SELECT * FROM "{table}"'))
                    found += [f"{table}: {tuple(row)!r}" for row in rows]
                return found

        yield from self.run(read())


def _another(value: Any) -> str:
    found = str(value)
    if len(found) == 36:
        return str(uuid4())
    return found.replace(MARK, "of-nobody") if MARK in found else found[:8] + found[8:][::-1]


@contextmanager
def tenants(home: Path) -> Iterator[Tenants]:
    made = Tenants(home)
    try:
        yield made
    finally:
        made.close()
