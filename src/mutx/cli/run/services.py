"""What runs beside the program, on an event loop of its own thread: the relay, and the egress gateway."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

Serve = Callable[[], Awaitable[asyncio.Server]]

START_SECONDS = 30.0
END_SECONDS = 2.0


class RunServices:
    """Begins with `start`, ends with `stop`. Requests that come before it runs wait in their listening sockets."""

    def __init__(self, *serve: Serve) -> None:
        self._serve = serve
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mutx-run", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ready.wait(START_SECONDS)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_SECONDS)

    def _run(self) -> None:
        self._loop = loop = asyncio.new_event_loop()
        try:
            servers = [loop.run_until_complete(serve()) for serve in self._serve]
            self._ready.set()
            loop.run_forever()
            for server in servers:
                server.close()
            loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        finally:
            self._ready.set()
            loop.close()


async def _end(tasks: "set[asyncio.Task[object]]") -> None:
    """Have connections hang up."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=END_SECONDS)
    await asyncio.sleep(0)  # what was aborted is closed in the loop's next round


def unix_listener(path: str) -> socket.socket:
    """A listening Unix socket for its owner, in a directory that is the owner's already."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(128)
    return listener
