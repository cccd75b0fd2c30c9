"""The proxy as clients reach it: over streamable HTTP with credentials of their own, or started as a program of theirs."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.shared.exceptions import MCPError

from mutx.cli.demo.control_plane import LocalControlPlane, free_port
from mutx.contract.mcp import PinState
from mutx.kit.errors import Unauthenticated
from mutx.sdk import MutxClient
from mutx.sdk.credentials import write_private
from mutx.server.doors.mcp import http_sessions
from mutx.server.doors.mcp.http_door import HttpPlace
from mutx.server.doors.mcp.running import Chosen, serve_control, serve_proxy
from mutx.services.mcp.scanning import PatternScanner
from mutx.services.mcp.session import ProxyRules
from tests.sdk import local

SHELF = Path(__file__).parents[1] / "services" / "mcp" / "shelf.py"
POLICY = """
name: shelf
default: deny
rules:
  - {id: reads, match: {tool: "shelf__read_*"}, effect: allow}
  - {id: writes, match: {tool: "shelf__write_*"}, effect: allow}
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalControlPlane]:
    with local.control_plane(tmp_path_factory.mktemp("mcp")) as plane:
        yield plane


@pytest.fixture(scope="module")
def operator(plane: LocalControlPlane) -> Iterator[MutxClient]:
    with local.sign_in(plane) as client:
        local.apply_policy(client, POLICY, "shelf")
        tokens = client.http.auth._store.load()
        write_private(plane.home / "credentials.json", {"url": plane.url, **tokens._asdict()})
        yield client


@contextmanager
def program(log: Path, *words: str, env: dict[str, str] | None = None, ready: int) -> Iterator[None]:
    """A program that listens on the port `ready`, until the block ends."""
    with log.open("wb") as file:
        started = subprocess.Popen([sys.executable, *words], env=env, stdout=file, stderr=file)
    try:
        end = time.monotonic() + 60
        while not _answers(ready):
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(20)


def _answers(port: int) -> bool:
    try:
        httpx2.get(f"http://127.0.0.1:{port}/", timeout=2)
    except httpx2.HTTPError:
        return False
    return True


@pytest.fixture(scope="module")
def door(plane: LocalControlPlane, operator: MutxClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy over HTTP, before a server over HTTP."""
    folder, shelf, port = tmp_path_factory.mktemp("door"), free_port(), free_port()
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"shelf": {"url": f"http://127.0.0.1:{shelf}/mcp"}}}))
    chosen = Chosen(config=config, url=plane.url)
    issuers = ("https://login.example.org",)
    place = HttpPlace(host="127.0.0.1", port=port, authorization_servers=issuers)
    with (
        program(folder / "shelf.log", str(SHELF), "--http", str(shelf), ready=shelf),
        beside(lambda say: serve_proxy(chosen, place, say)),
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def beside(serve: Callable[[Callable[[str], None]], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """What serves, on a thread of its own, from when it says that it listens until the block ends."""
    listening, loop = threading.Event(), asyncio.new_event_loop()
    task = loop.create_task(serve(lambda _: listening.set()))

    def run() -> None:
        asyncio.set_event_loop(loop)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert listening.wait(60)
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(30)


@asynccontextmanager
async def client(door: str, token: str, mode: str = "legacy", **headers: str) -> AsyncIterator[Client]:
    headers["authorization"] = f"Bearer {token}"
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{door}/mcp", http_client=http)
        async with Client(transport, mode=mode, cache=None) as made:
            yield made


def test_a_stranger_is_told_where_to_sign_in(door: str) -> None:
    for token in (None, "mutx_agent_wrong", "a.b.c"):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        refused = httpx2.post(f"{door}/mcp", json={}, headers=headers)
        assert refused.status_code == 401
        where = f"{door}/.well-known/oauth-protected-resource/mcp"
        assert f'resource_metadata="{where}"' in refused.headers["www-authenticate"]
    metadata = httpx2.get(where).json()
    assert metadata["resource"] == f"{door}/mcp"
    assert metadata["authorization_servers"] == ["https://login.example.org"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_agents_key_is_that_agent_and_nobody_else(door: str, operator: MutxClient, mode: str) -> None:
    agent, key = local.agent_key(operator, f"reader-{mode}")
    async with client(door, key, mode) as one:
        assert "shelf__read_book" in [tool.name for tool in (await one.list_tools()).tools]
        read = await one.call_tool("shelf__read_book", {"title": "Emma"})
        assert read.content[0].text == "Emma: once upon a time"
        assert (await one.call_tool("shelf__drop", {"title": "Emma"})).is_error
    assert operator.security.receipt(read.meta["mutx/receipt"]).agent_id == agent
    async with client(door, key, mode, **{"mutx-agent": "somebody-else"}) as one:
        with pytest.raises(Exception, match="another agent"):
            await one.list_tools()


async def test_each_client_has_a_session_of_its_own(door: str, operator: MutxClient) -> None:
    _, key = local.agent_key(operator, "twice")

    async def session(**headers: str) -> str:
        async with client(door, key, **headers) as one:
            read = await one.call_tool("shelf__read_book", {"title": "Emma"})
            return operator.security.receipt(read.meta["mutx/receipt"]).session_id

    assert await session() != await session()
    assert await session(**{"mutx-session": "chosen"}) == "chosen"


async def test_a_revoked_key_is_refused(door: str, operator: MutxClient) -> None:
    made: Any = operator.api_keys.create({"name": "short"})
    async with client(door, made.key) as one:
        assert (await one.list_tools()).tools
        operator.api_keys.delete(made.id)
        with pytest.raises(MCPError, match="revoked"):
            await one.call_tool("shelf__read_book", {"title": "Emma"})


async def test_the_control_plane_is_a_server_under_the_callers_own_scopes(
    plane: LocalControlPlane, operator: MutxClient
) -> None:
    place = HttpPlace(host="127.0.0.1", port=free_port())
    door = place.resource.removesuffix("/mcp")
    made: Any = operator.api_keys.create({"name": "assistant"})
    _, agents_own = local.agent_key(operator, "curious")
    with beside(lambda say: serve_control(plane.url, place, say)):
        async with client(door, made.key) as one:
            pending = await one.call_tool("list_pending_approvals", {})
            assert json.loads(pending.content[0].text) == []
            lint = await one.call_tool("lint_policy", {"document": "name: x\nrules: 7"})
            assert json.loads(lint.content[0].text)["valid"] is False
        async with client(door, agents_own) as one:
            refused = await one.call_tool("list_pending_approvals", {})
            assert refused.is_error
            assert "permission_denied" in refused.content[0].text


async def test_a_principal_has_so_many_sessions_and_names_are_checked(
    door: str, operator: MutxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_sessions, "MAX_OWN_SESSIONS", 1)
    made: Any = operator.api_keys.create({"name": "greedy"})
    async with client(door, made.key) as one, client(door, made.key) as other:
        await one.list_tools()
        with pytest.raises(MCPError, match="too many open MCP sessions"):
            await other.list_tools()
    async with client(door, made.key, **{"mutx-agent": "not a name"}) as one:
        with pytest.raises(MCPError, match="mutx-agent"):
            await one.list_tools()


async def test_sessions_that_nobody_uses_are_closed(plane: LocalControlPlane, operator: MutxClient) -> None:
    made: Any = operator.api_keys.create({"name": "idle"})
    sessions = http_sessions.HttpSessions(plane.url, {}, PatternScanner(), ProxyRules(), agent="nobody", wait=None)
    token = AccessToken(token=made.key, client_id="me", scopes=[])
    request = SimpleNamespace(scope={"user": AuthenticatedUser(token)}, headers={})
    ctx: Any = SimpleNamespace(request=request)
    first = await sessions.of(ctx)
    assert await sessions.of(ctx) is first
    await sessions.close(idle=3600)
    assert await sessions.of(ctx) is first
    request.scope["user"] = AuthenticatedUser(token.model_copy(update={"token": "renewed"}))
    assert await sessions.of(ctx) is first
    await sessions.close()
    assert await sessions.of(ctx) is not first
    await sessions.close()
    with pytest.raises(Unauthenticated):
        await sessions.of(SimpleNamespace(request=None))  # type: ignore[arg-type]


def proxied(plane: LocalControlPlane, folder: Path) -> StdioServerParameters:
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"shelf": {"command": sys.executable, "args": ["${SHELF}"]}}}))
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "mutx", "mcp", "proxy", "--config", str(config), "--agent", "librarian"],
        env={"MUTX_HOME": str(plane.home), "SHELF": str(SHELF)},
    )


async def test_a_client_starts_the_proxy_like_any_server(
    plane: LocalControlPlane, operator: MutxClient, tmp_path: Path
) -> None:
    async with Client(proxied(plane, tmp_path), read_timeout_seconds=60) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        assert listed == {"shelf__read_book", "shelf__write_note", "shelf__write_crash", "shelf__read_slowly"}
        read = await client.call_tool("shelf__read_book", {"title": "Emma"})
        assert read.content[0].text == "Emma: once upon a time"
        assert (await client.call_tool("shelf__drop", {"title": "Emma"})).is_error
        receipt = operator.security.receipt(read.meta["mutx/receipt"])
        assert receipt.agent_id == "librarian"
        crashed = await client.call_tool("shelf__write_crash")
        assert "went away during the request" in crashed.content[0].text
        assert not (await client.call_tool("shelf__read_book", {"title": "Emma"})).is_error
    assert operator.mcp.tools(PinState.PINNED, "shelf").total == 5
