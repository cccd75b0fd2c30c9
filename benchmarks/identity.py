"""Who is asking: what a token costs that was verified a moment ago, what a new one costs, and a whole authenticated read."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import structlog
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Scope

from benchmarks.harness import Plan, Result, Round, result, sweep
from mutx.contract.api_keys import ApiKey, ApiKeyCreate
from mutx.contract.base import Page
from mutx.kit.clock import to_datetime
from mutx.kit.errors import Unavailable
from mutx.resources.api_keys.service import ALL_KEYS, ApiKeys
from mutx.server.settings import Settings
from mutx.server.tuning import tune
from mutx.server.wiring import ControlPlane, build

KEYS = 60
LISTED = 50
FACTOR = 3
"""How many bare handlers the whole may cost beside its queries."""
GENEROUS = 100_000_000
BATCH = 10
"""Requests between two looks at the clock of the CPU."""


def run(plan: Plan) -> list[Result]:
    with _logging_as_served(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        plane = runner.run(build(Settings(rate_limit_requests=GENEROUS), memory=True))
        tune()  # as the server does; what other benchmarks left behind is not looked through in every request
        try:
            return [*_tokens(plan, runner, plane), _list_of_keys(plan, runner, plane)]
        finally:
            runner.run(plane.stop())


@contextmanager
def _logging_as_served() -> Iterator[None]:
    """Left to itself, structlog prints a line for every request, which no server does at its default level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        yield
    finally:
        structlog.configure(**before)


def _tokens(plan: Plan, runner: asyncio.Runner, plane: ControlPlane) -> list[Result]:
    token = runner.run(plane.local_token())
    runner.run(plane.identities.authenticate(token))
    calls = [(token,)] * plan.count(1000, least=4)
    known = [sweep(plane.identities.cached, calls)() * 1e6 for _ in range(plan.rounds)]
    unknown = [sweep(plane.services.auth.tokens.verify, calls)() * 1e6 for _ in range(plan.rounds)]
    return [
        result(
            "jwt_cached_us", known, "us", "a token that was verified a moment ago: its hash, the epoch, its end", 100
        ),
        result(
            "jwt_cold_us", unknown, "us", "a token seen for the first time: Ed25519 and every claim, no store", 1000
        ),
    ]


def _list_of_keys(plan: Plan, runner: asyncio.Runner, plane: ControlPlane) -> Result:
    """CPU of the whole over what it may cost. Each round measures all three, one right after the other."""
    secret = runner.run(_keys(plane))
    page = runner.run(_page(plane))
    requests = plan.count(200, least=3)
    whole = _cpu(runner, requests, lambda: _get(plane.app, secret))
    queries = _cpu(runner, requests, lambda: _queries(plane))
    plain = _bare(page)
    bare = _cpu(runner, requests, lambda: _get(plain, secret))
    runs = [whole() / (FACTOR * bare() + queries()) for _ in range(plan.rounds)]
    return result(
        "api_key_list_over_bare",
        runs,
        "x",
        f"{FACTOR} times the CPU of a bare FastAPI handler that answers the same {LISTED} items from memory, plus the CPU of"
        " the list's own queries; all measured in each round",
        1,
    )


async def _keys(plane: ControlPlane) -> str:
    """Make the keys that are listed; the secret of one of them."""
    async with plane.services.database.write() as session:
        keys = ApiKeys(session, plane.operator, plane.services.auth.secrets, plane.services.clock)
        made = [await keys.create(ApiKeyCreate(name=f"key {number}", scopes=["admin"])) for number in range(KEYS)]
    return made[0].key


async def _page(plane: ControlPlane) -> Page[ApiKey]:
    async with plane.services.database.read() as session:
        keys = ApiKeys(session, plane.operator, plane.services.auth.secrets, plane.services.clock)
        items, total = await keys.list(0, LISTED)
    return Page[ApiKey].of(items, total, 0, LISTED)


async def _queries(plane: ControlPlane) -> None:
    """What the list asks the database, as it does: a view, its statement, the rows."""
    async with plane.services.database.read() as session:
        now = to_datetime(plane.services.clock.now())
        await ALL_KEYS.page(session, 0, LISTED, workspace_id=plane.operator.workspace_id, now=now)


def _bare(page: Page[ApiKey]) -> FastAPI:
    """One handler and nothing else: no middleware, no credential, no store; its rows lie in memory, made into models as any are."""
    app = FastAPI()
    rows = [key.model_dump() for key in page.items]

    @app.get("/v1/api-keys", response_model=Page[ApiKey])
    async def answer() -> dict[str, Any]:
        return {"items": rows, "total": page.total, "skip": 0, "limit": LISTED, "has_more": True}

    return app


def _cpu(runner: asyncio.Runner, requests: int, once: Callable[[], Awaitable[None]]) -> Round:
    """CPU seconds of this process per call, all threads: of the middle batch, for a few are hit by what else a machine does."""

    async def several(count: int) -> float:
        started = time.process_time()
        for _ in range(count):
            await once()
        return max(time.process_time() - started, 1e-9) / count

    def measure() -> float:
        runner.run(several(2))
        return median(runner.run(several(BATCH)) for _ in range(max(requests // BATCH, 1)))

    return measure


async def _get(app: ASGIApp, secret: str) -> None:
    """GET the list as a server would ask the application. Raises Unavailable for another answer than 200."""
    headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer " + secret.encode())]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/api-keys",
        "raw_path": b"/v1/api-keys",
        "root_path": "",
        "query_string": b"limit=%d" % LISTED,
        "headers": headers,
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    statuses: list[Any] = []

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    if statuses[0] != 200:
        raise Unavailable(f"the list answered {statuses[0]}")
