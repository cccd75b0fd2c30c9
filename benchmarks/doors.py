"""What a governed decision costs at the doors, as a multiple of a hello; and what middleware and HTTP add to it."""

import asyncio
import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message

from benchmarks import rules
from benchmarks.harness import Plan, Result, result
from benchmarks.load import Job
from benchmarks.processes import CLIENT, Server, free_port, server
from benchmarks.world import World
from mutx.governance.types import Caller
from mutx.server.app import create_app
from mutx.server.doors.http import hot_routes
from mutx.server.doors.verbs import Verbs
from mutx.server.http_protocol import KEY as REPLY
from mutx.server.settings import Settings
from mutx.server.wiring import build
from mutx.storage.coordination import LocalBus

CONNECTIONS = 32
SESSIONS = 256
SECONDS = 2.0
BODY = 500
"""Bytes of a request's body."""
DEPTH = 16
"""Requests that a Unix socket connection keeps under way, as reference/performance.md has it."""
PATH = "/v1/governance/decide"


def run(plan: Plan) -> list[Result]:
    return [*_over_hello(plan), _uds_over_http(plan), _middleware(plan)]


@dataclass(frozen=True)
class Agent:
    """Who decides: an agent's name and the credential it sends."""

    id: str
    key: str

    def bodies(self) -> list[str]:
        """One request's body per session, `BODY` bytes each."""
        return [_padded(self._call(number)) for number in range(SESSIONS)]

    def _call(self, number: int) -> dict[str, Any]:
        args = {"amount": number, "region": "eu", "path": f"/data/order/{number}", "note": ""}
        return {"tool_name": "read_order_1", "agent_id": self.id, "session_id": f"session-{number}", "tool_args": args}

    def job(self, port: int, plan: Plan) -> Job:
        heads = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {self.key}\r\nContent-Type: application/json\r\n"
        requests = [
            f"POST {PATH} HTTP/1.1\r\n{heads}Content-Length: {len(body)}\r\n\r\n{body}" for body in self.bodies()
        ]
        return Job(requests, _seconds(plan), CONNECTIONS, port=port)

    def lines(self, socket: Path, plan: Plan) -> Job:
        requests = [f'{{"id":{number},"verb":"decide","body":{body}}}\n' for number, body in enumerate(self.bodies())]
        return Job(requests, _seconds(plan), CONNECTIONS, DEPTH, socket=str(socket))


def _padded(call: dict[str, Any]) -> str:
    call["tool_args"]["note"] = "x" * (BODY - len(json.dumps(call)))
    return json.dumps(call)


def _seconds(plan: Plan) -> float:
    return max(0.3, SECONDS * plan.scale)


def _over_hello(plan: Plan) -> list[Result]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mutx-bench-"))
        product, agent = stack.enter_context(_control_plane(Path(folder)))
        hello = stack.enter_context(_hello())
        decide, greet = agent.job(product.port, plan), agent.job(hello.port, plan)
        product.under(decide), hello.under(greet)
        pairs = [(product.under(decide), hello.under(greet)) for _ in range(plan.rounds)]
    against = f"FastAPI and Pydantic hello, same body, {CONNECTIONS} connections, one worker each; client: {CLIENT}"
    cpu = [ours.cpu / theirs.cpu for ours, theirs in pairs]
    rate = [ours.per_second / theirs.per_second for ours, theirs in pairs]
    return [
        result("http_decide_cpu_over_fastapi_hello", cpu, "x", f"server CPU per request of {against}", 1.6),
        result("http_decide_over_fastapi_hello", rate, "x", f"requests per second of {against}", 0.6, at_least=True),
    ]


@contextmanager
def _control_plane(home: Path) -> Iterator[tuple[Server, Agent]]:
    """`mutx up` with 1 000 rules in force, and an agent's own key."""
    port = free_port()
    where = {"MUTX_HOME": str(home), "PORT": str(port), "GOVERNANCE_RATE_LIMIT_REQUESTS": "100000000"}
    with server("-m", "mutx", "up", port=port, path="/ready", environment=where) as running:
        token = _post(port, "/v1/auth/local-bootstrap", {}, None)["access_token"]
        _post(port, "/v1/policies", {"name": "bench", "document": rules.mixed(1000)}, token)
        agent = _post(port, "/v1/agents/register", {"name": "bench"}, token)
        yield running, Agent(agent["agent_id"], agent["api_key"])


@contextmanager
def _hello() -> Iterator[Server]:
    port = free_port()
    with server("-m", "benchmarks.servers", "hello", str(port), port=port, path="/docs") as running:
        yield running


def _post(port: int, path: str, body: dict[str, Any], token: str | None) -> Any:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - http, ours
        return json.load(answer)


def _uds_over_http(plan: Plan) -> Result:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutx-bench-")))
        port, socket = free_port(), folder / "run" / "mutx.sock"
        arguments = ("-m", "benchmarks.servers", "unsigned", str(port), str(socket))
        running = stack.enter_context(server(*arguments, port=port, path="/ready"))
        token = _post(port, "/v1/auth/local-bootstrap", {}, None)["access_token"]
        agent = Agent("agent-1", token)
        http, uds = agent.job(port, plan), agent.lines(socket, plan)
        running.under(http), running.under(uds)
        runs = [running.under(uds).cpu / running.under(http).cpu for _ in range(plan.rounds)]
    against = (
        "server CPU of the same decision over HTTP with every head parsed (`mutx up` parses one only until it knows it),"
        f" neither signed nor stored; socket: {DEPTH} under way each"
    )
    return result("uds_over_http_cpu", runs, "x", against, 0.6)


def _middleware(plan: Plan) -> Result:
    runs = asyncio.run(shares(plan))
    return result(
        "middleware_cpu_share", runs, "x", "CPU of the whole request behind the socket: signed, not stored", 0.25
    )


async def shares(plan: Plan) -> list[float]:
    """What of a hot request's CPU the application around its route takes; the route alone is given its caller."""
    plane = await build(Settings(governance_rate_limit_requests=100_000_000), memory=True)
    world = World(rules.engine(rules.mixed(1000)))
    verbs = Verbs(world.pipeline, LocalBus(), plane.services.clock)
    doors = hot_routes(verbs)
    services = replace(plane.services, registry=CollectorRegistry())
    app = create_app(services, plane.settings, plane.identities, doors=doors)
    try:
        token = await plane.local_token()
        caller = await plane.identities.resolve(token)
        asked = Asked(Agent("agent-1", token))
        runs = []
        for _ in range(plan.rounds + 1):
            whole = await asked.cpu(app, None, plan.count(4000, least=20))
            alone = await asked.cpu(doors[PATH], caller, plan.count(4000, least=20))
            runs.append((whole - alone) / whole)
        return runs[1:]  # the first one also warms up
    finally:
        await plane.stop()


def _take(head: bytes, body: bytes) -> bool:
    """An answer goes nowhere; `mutx up` writes it to the socket."""
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"a request was answered with {head[:40]!r}")
    return True


class Asked:
    """Hot requests to an ASGI application, without a socket."""

    def __init__(self, agent: Agent) -> None:
        self._bodies = [body.encode() for body in agent.bodies()]
        self._headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {agent.key}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(BODY).encode()),
        ]

    async def cpu(self, app: ASGIApp, caller: Caller | None, count: int) -> float:
        """CPU seconds per request."""
        started = time.process_time()
        for number in range(count):
            await self._ask(app, caller, self._bodies[number % SESSIONS])
        return (time.process_time() - started) / count

    async def _ask(self, app: ASGIApp, caller: Caller | None, body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != 200:
                raise RuntimeError(f"a request was answered with {message['status']}")

        known: dict[str, Any] = {} if caller is None else {"mutx.caller": caller}
        known[REPLY] = _take
        fixed = {"type": "http", "method": "POST", "scheme": "http", "path": PATH, "raw_path": PATH.encode()}
        more = {"query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
        await app({**fixed, **more, **known, "headers": list(self._headers), "state": {}}, receive, send)
