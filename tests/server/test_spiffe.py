"""A workload with a SPIFFE identity acts as its agent, at the same door as everybody."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from tests.services.spiffe_identity.workload_api import AUDIENCE, DOMAIN, Authority

CALL = {"tool_name": "read_stock", "session_id": "afternoon", "tool_args": {}}


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def plane(tmp_path: Path, authority: Authority) -> AsyncIterator[ControlPlane]:
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(authority.bundle())
    given = {"spiffe_trust_domain": DOMAIN, "spiffe_bundle_path": bundle}
    made = await build(Settings(home=tmp_path / "home", **given))
    yield made
    await made.stop()


def client(plane: ControlPlane, credential: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=plane.app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=AUDIENCE, headers={"authorization": f"Bearer {credential}"})


async def _agent(plane: ControlPlane) -> str:
    async with client(plane, await plane.local_token()) as operator:
        document = "name: open\ndefault: allow"
        assert (await operator.post("/v1/policies", json={"name": "open", "document": document})).status_code == 201
        made = await operator.post("/v1/agents/register", json={"name": "stock keeper"})
        assert made.status_code < 300, made.text
        return str(made.json()["agent_id"])


async def test_a_workload_decides_as_its_agent_and_as_no_other(plane: ControlPlane, authority: Authority) -> None:
    agent_id = await _agent(plane)
    async with client(plane, authority.svid(f"/agent/{agent_id}")) as workload:
        me = await workload.post("/v1/governance/decide", json={**CALL, "agent_id": agent_id})
        assert (me.status_code, me.json()["decision"]) == (200, "allow"), me.text
        another = await workload.post("/v1/governance/decide", json={**CALL, "agent_id": "somebody-else"})
        assert another.status_code == 403, another.text
        assert (await workload.post("/v1/api-keys", json={"name": "mine"})).status_code == 403


async def test_names_without_an_agent_open_nothing(plane: ControlPlane, authority: Authority) -> None:
    agent_id = await _agent(plane)
    for path in (f"/agent/{agent_id}/x", "/agent/" + "0" * 36, "/agent/" + "-" * 36, "/", f"/user/{agent_id}"):
        async with client(plane, authority.svid(path)) as workload:
            assert (await workload.post("/v1/governance/decide", json=CALL)).status_code == 401, path


async def test_an_agent_that_is_gone_takes_its_workload_along(plane: ControlPlane, authority: Authority) -> None:
    agent_id = await _agent(plane)
    async with client(plane, authority.svid(f"/agent/{agent_id}")) as workload:
        body = {**CALL, "agent_id": agent_id}
        assert (await workload.post("/v1/governance/decide", json=body)).status_code == 200
        caller = plane.identities.cached(workload.headers["authorization"].removeprefix("Bearer "))
        assert caller is not None
        assert await plane.identities.current(caller) == caller
        async with client(plane, await plane.local_token()) as operator:
            assert (await operator.delete(f"/v1/agents/{agent_id}")).status_code == 204
        assert (await workload.post("/v1/governance/decide", json=body)).status_code == 401
        assert await plane.identities.current(caller) is None


def test_a_trust_domain_needs_one_bundle(tmp_path: Path) -> None:
    for more in (
        {},
        {"spiffe_bundle_path": tmp_path, "spiffe_endpoint_socket": "unix:///x"},
        {"spiffe_bundle_path": tmp_path, "spiffe_agent_path": "agent/{agent_id}"},
        {"spiffe_bundle_path": tmp_path, "spiffe_agent_path": "/agent"},
    ):
        with pytest.raises((ValidationError, SetupError)):
            Settings(home=tmp_path, spiffe_trust_domain=DOMAIN, **more)
