"""What the MCP proxy costs: tool calls per second through it, beside a direct connection to the same server.

Client and servers are the official SDK's, at standard input and output. Each call through the proxy is decided, its permit
redeemed and its outcome concluded by a control plane in a process of its own: three durable writes.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters

from benchmarks.harness import Plan, Result, result
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.auth import LocalBootstrap
from mutx.contract.policies import PolicyWrite
from mutx.sdk.client import MutxClient
from mutx.sdk.credentials import write_private

CALLS = 400
CONCURRENT = 16
ROOT = Path(__file__).parents[1]
POLICY = """
name: notes
rules:
  - {id: reads, match: {tool: "notes__read_*"}, effect: allow}
"""
SERVER = [sys.executable, "-m", "benchmarks.mcp_notes"]


def run(plan: Plan) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="mutx-bench-") as folder:
        plane = LocalControlPlane(_home(Path(folder)))
        plane.start()
        try:
            _sign_in(plane)
            pairs = asyncio.run(_measured(plan, plane))
        finally:
            plane.stop()
    direct = sorted(one for one, _ in pairs)[len(pairs) // 2]
    against = f"the same calls without the proxy ({direct:.0f}/s), {CONCURRENT} at a time, official client and server over stdio"
    return [
        result("mcp_proxy_calls_per_s", [ours for _, ours in pairs], "/s", against, 20, at_least=True),
        result("mcp_proxy_of_direct", [ours / theirs for theirs, ours in pairs], "x", against, 0.05, at_least=True),
    ]


def _home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / ".env").write_text("RATE_LIMIT_REQUESTS=1000000\nLOG_LEVEL=WARNING\n")
    return home


def _sign_in(plane: LocalControlPlane) -> None:
    with MutxClient(plane.url) as stranger:
        made = stranger.auth.local_bootstrap(LocalBootstrap())
    tokens = {"access_token": made.access_token, "refresh_token": made.refresh_token}
    write_private(plane.home / "credentials.json", {"url": plane.url, **tokens})
    with MutxClient(plane.url, api_key=made.access_token) as operator:
        operator.policies.put("notes", PolicyWrite(name="notes", document=POLICY))


async def _measured(plan: Plan, plane: LocalControlPlane) -> list[tuple[float, float]]:
    """Calls per second without and with the proxy, in turn."""
    direct = StdioServerParameters(command=SERVER[0], args=SERVER[1:], cwd=ROOT)
    words = ["-m", "mutx", "mcp", "proxy", "--name", "notes", "--", *SERVER]
    proxied = StdioServerParameters(command=SERVER[0], args=words, cwd=ROOT, env={"MUTX_HOME": str(plane.home)})
    async with Client(direct) as plain, Client(proxied) as governed:
        await _rate(plain, "read_note", 8), await _rate(governed, "notes__read_note", 8)
        count = plan.count(CALLS, least=16)
        return [
            (await _rate(plain, "read_note", count), await _rate(governed, "notes__read_note", count))
            for _ in range(plan.rounds)
        ]


async def _rate(client: Client, tool: str, count: int) -> float:
    waiting = iter(range(count))

    async def caller() -> None:
        for number in waiting:
            answer = await client.call_tool(tool, {"number": number})
            assert not answer.is_error, answer

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CONCURRENT)))
    return count / (time.perf_counter() - started)
