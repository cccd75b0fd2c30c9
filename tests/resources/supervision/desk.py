"""A control plane that supervises, and its operator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from msgspec import Struct

from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from mutx.services.faramesh_supervisor.processes import process
from tests.resources.supervision.children import profiles

AT = "/v1/runtime/governance/supervised"
PATIENCE = 45.0
GENEROUS = dict.fromkeys(("rate_limit_requests", "auth_rate_limit_requests", "governance_rate_limit_requests"), 10**9)
QUICK: dict[str, Any] = {
    "supervision_restart_delay": 0.05,
    "supervision_shutdown_timeout": 5.0,
    "supervision_health_check_interval": 0.1,
}


class Desk(Struct, frozen=True):
    plane: ControlPlane
    http: httpx2.AsyncClient
    folder: Path
    """Of the programs: what they write lies in one of their name."""

    async def agent(self, name: str = "clerk") -> str:
        return str((await self.http.post("/v1/agents/register", json={"name": name})).json()["agent_id"])

    async def start(self, agent_id: str, profile: str, **more: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{AT}/start", json={"agent_id": agent_id, "profile": profile, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def do(self, agent_id: str, verb: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{AT}/{agent_id}/{verb}", json=body or None)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    async def status(self, agent_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"{AT}/{agent_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, agent_id: str, **wanted: Any) -> dict[str, Any]:
        """How it stands once these fields are so."""

        async def look() -> dict[str, Any] | None:
            found = await self.status(agent_id)
            return found if all(found[name] == value for name, value in wanted.items()) else None

        return await eventually(look)

    async def said(self, agent_id: str) -> list[str]:
        answer = await self.http.get(f"{AT}/{agent_id}/logs", params={"lines": 1000})
        assert answer.status_code == 200, answer.text
        return [line["message"] for line in answer.json()["items"]]

    async def until_said(self, agent_id: str, text: str) -> list[str]:
        async def look() -> list[str] | None:
            said = await self.said(agent_id)
            return said if any(text in line for line in said) else None

        return await eventually(look)

    def noted(self, profile: str, name: str) -> list[int]:
        path = self.folder / profile / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []


async def eventually(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = look()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.05)


async def all_gone(pids: list[int]) -> None:
    def look() -> bool:
        return not any(is_there(pid) for pid in pids)

    await eventually(look)


def is_there(pid: int) -> bool:
    found = process(pid)
    return found is not None and found.alive


@asynccontextmanager
async def desk(folder: Path, home: str = "home", **given: Any) -> AsyncIterator[Desk]:
    """Programs are written to `folder`/programs. The control plane ends with the block."""
    programs = folder / "programs"
    known = profiles(programs, **given.pop("more_profiles", {}))
    plane = await build(Settings(home=folder / home, supervision_profiles=known, **{**GENEROUS, **QUICK, **given}))
    await plane.start(socket=True)
    try:
        async with client(plane, await plane.local_token()) as http:
            yield Desk(plane, http, programs)
    finally:
        await plane.stop()


def client(plane: ControlPlane, token: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(plane.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)
