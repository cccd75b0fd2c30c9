"""`mutx up`: one process, one command."""

import asyncio
import errno
import gc
import json
import math
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from mutx.kit.errors import MutxError, SetupError
from mutx.server import logging
from mutx.server.home import prepare
from mutx.server.scraping import ScrapeApp, serving
from mutx.server.settings import Settings, read_settings
from mutx.server.slow_clients import Patience, WatchedHttp
from mutx.server.tuning import tune
from mutx.server.waiting import WaitingRoom
from mutx.server.wiring import build
from mutx.services.signing.files import replace_durably

PID_FILE = "mutx.pid"
BACKLOG = 2048
TICKS_PER_SECOND = 10
"""Of uvicorn's main loop."""
KEEP_ALIVE_SECONDS = 15
"""Between requests of one connection."""
CLIENT_FILE = "client.json"
"""What `mutx_agent` reads to find the control plane of this machine."""


def main(**given: Any) -> None:
    """Run until interrupted. `given` overrides settings by their field names.

    Raises SetupError where the installation, the port or the home directory does not allow it.
    """
    settings = read_settings(**given)
    logging.configure(settings.log_level, as_json=settings.log_json)
    prepare(settings.home)
    listener = listen(settings.host, settings.port)
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, listener))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises SetupError if the address is taken or not this machine's."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(f"port {port} on {host} is in use; stop what listens there, or set PORT") from error
        raise SetupError(f"cannot listen on {host}:{port}: {error.strerror}; check HOST and PORT") from error
    listener.setblocking(False)
    return listener


class HttpServer(uvicorn.Server):
    """uvicorn that returns when told to stop; its own handling would end the process before the plane has stopped.

    It also closes connections that keep it waiting.
    """

    def __init__(self, config: uvicorn.Config, patience: Patience) -> None:
        super().__init__(config)
        self._patience = patience

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self._patience.sweep(self.server_state.connections)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
        for number in signals:
            loop.remove_signal_handler(number)


def patience(settings: Settings) -> Patience:
    """A body has a moment longer here than in the middleware, which can say more about it."""
    return Patience(
        headers=math.ceil(settings.header_timeout_seconds),
        body=math.ceil(settings.body_timeout_seconds) + 1,
        reader=math.ceil(settings.stalled_reader_seconds),
        resting=KEEP_ALIVE_SECONDS,
    )


async def _serve(settings: Settings, listener: socket.socket) -> None:
    """With DATABASE_REQUIRED_ON_STARTUP=false it listens at once, and answers 503 until the database is there."""
    room = WaitingRoom()
    async with AsyncExitStack() as stack:
        if settings.database_required_on_startup:
            server = _server(await _open(settings, stack), settings)
            _announce(settings, str(settings.socket))
            await server.serve(sockets=[listener])
            return
        gc.enable()  # nobody knows how long it waits
        server = _server(room, settings)
        patient = settings.model_copy(update={"database_startup_seconds": math.inf})
        opening = asyncio.create_task(_enter(room, patient, stack, server))
        print(f"MUTX waits for its database on {settings.issuer}", flush=True)
        await server.serve(sockets=[listener])
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await opening


async def _open(settings: Settings, stack: AsyncExitStack) -> ASGIApp:
    """A control plane that runs until the stack ends."""
    plane = await build(settings)
    stack.callback(_withdraw, settings)
    stack.push_async_callback(plane.stop)
    await plane.start(socket=True)
    metrics = ScrapeApp(plane.app.state.scrape)
    await stack.enter_async_context(serving(metrics, settings.metrics_host or settings.host, settings.metrics_port))
    tune()
    return plane.app


async def _enter(room: WaitingRoom, settings: Settings, stack: AsyncExitStack, server: HttpServer) -> None:
    try:
        room.app = await _open(settings, stack)
        _announce(settings, str(settings.socket))
    except MutxError:
        server.should_exit = True
        raise


def _server(app: ASGIApp, settings: Settings) -> HttpServer:
    return HttpServer(
        uvicorn.Config(
            app,
            http=WatchedHttp,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=10,
        ),
        patience(settings),
    )


def _announce(settings: Settings, socket_path: str) -> None:
    """Tell people, and programs on this machine, where the control plane is."""
    address = settings.issuer
    (settings.home / PID_FILE).write_text(f"{os.getpid()}\n")
    where = {"url": address, "socket": socket_path, "api_key": None, "agent_id": None}
    replace_durably(settings.home / CLIENT_FILE, json.dumps(where, indent=2).encode())
    print(f"MUTX listens on {address}  (API: {address}/docs, socket: {socket_path})", flush=True)


def _withdraw(settings: Settings) -> None:
    for name in (PID_FILE, CLIENT_FILE):
        (settings.home / name).unlink(missing_ok=True)
