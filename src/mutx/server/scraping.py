"""Metrics on a port of their own, for networks where Prometheus reaches what clients do not."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.kit.errors import MutxError, NotFound
from mutx.resources.health.scrape import Scrape
from mutx.web.problems import respond

PATH = "/metrics"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class ScrapeApp:
    """ASGI: `GET /metrics` and nothing else."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if (scope["method"], scope["path"]) != ("GET", PATH):
                raise NotFound(f"only {PATH} is served here")
            answer = Response(await self._scrape.text(scope, own_port=True), media_type=TEXT)
        except MutxError as error:
            answer = respond(scope, error)
        await answer(scope, receive, send)


class SideServer(uvicorn.Server):
    """Runs beside the main one, which alone hears signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[None]:
    """Serve `app` at its own port for the time of the block. Port 0: do not."""
    if port == 0:
        yield
        return
    config = uvicorn.Config(
        app, host=host, port=port, http="httptools", lifespan="off", log_config=None, access_log=False
    )
    server = SideServer(config)
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task
