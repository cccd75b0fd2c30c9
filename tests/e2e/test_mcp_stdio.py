"""`mutx mcp proxy` as MCP clients start it: a program at standard input and output, a server behind it, `mutx up` beside it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.mcp import PinState
from mutx.sdk import MutxClient
from mutx.sdk.credentials import write_private
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


@pytest.fixture
def operator(plane: LocalControlPlane) -> Iterator[MutxClient]:
    with local.sign_in(plane) as client:
        local.apply_policy(client, POLICY, "shelf")
        tokens = client.http.auth._store.load()
        write_private(plane.home / "credentials.json", {"url": plane.url, **tokens._asdict()})
        yield client


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
