"""The control plane inside this process: the same pipeline, ledger and receipts, without a server or a socket.

`create()` is the entry point `mutx.embedded: server`, by which the client side reaches the server layer at call time. The
control plane runs on an event loop of its own thread, so blocking and async callers are served alike. Its receipts say
`door=embedded`: agent and signing key then share a process, so they prove what was decided to anyone but that process.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Self, TypeVar

import httpx2
from msgspec.structs import replace
from starlette.types import ASGIApp

from mutx.governance.types import Caller, Door
from mutx.kit.errors import MalformedBody, MutxError, SetupError
from mutx.server.doors.failing import FailClosed
from mutx.server.settings import Settings, read_settings
from mutx.server.wiring import ControlPlane, build
from mutx.web.strict_json import parse

FAIL_CLOSED = FailClosed("embedded")

T = TypeVar("T")

START_TIMEOUT = 120.0


class Embedded:
    """A running control plane in this process. Thread-safe. Close it to release the database file."""

    def __init__(
        self,
        plane: ControlPlane,
        caller: Callable[[], Awaitable[Caller]],
        loop: asyncio.AbstractEventLoop,
        thread: threading.Thread,
    ) -> None:
        self._plane = plane
        self._loop = loop
        self._thread = thread
        self._caller = caller
        self._asgi = httpx2.ASGITransport(plane.app)

    @property
    def app(self) -> ASGIApp:
        """The whole REST surface, for clients that take an ASGI application; runs on any event loop but its own."""
        return self._plane.app

    def call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """One verb, blocking, answered as the Unix socket answers: `{"ok": ...}` or `{"error": ...}`."""
        return self.run(self._call(verb, body))

    async def _call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            with FAIL_CLOSED:
                # The same checks as on any wire: what JSON cannot hold is refused here too.
                return {"ok": await self._plane.verbs.call(verb, parse(_encode(body)), await self._caller())}
        except MutxError as error:
            return {"error": {"code": error.code, "message": str(error), "details": error.details}}

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """One REST request as the local operator: HTTP status and decoded body."""
        return self.run(self._request(method, path, body))

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {await self._plane.local_token()}"}
        async with httpx2.AsyncClient(transport=self._asgi, base_url="http://127.0.0.1", headers=headers) as client:
            answer = await client.request(method, path, json=body)
        return answer.status_code, answer.json() if answer.content else None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the control plane's loop and wait for it."""
        return self.submit(work).result()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop.is_closed():
            work.close()
            raise SetupError("this embedded control plane was closed; create another one")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self.run(self._plane.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create(
    home: str | None = None,
    *,
    memory: bool = False,
    token: str | None = None,
    policies_from: str | None = None,
    policies_key: str | None = None,
    policies_trust: str | None = None,
) -> Embedded:
    """Start a control plane in this process.

    `home`: folder of database and keys, as for `mutx up` (which must not run on the same one at the time). `memory`: keep
    nothing; the ledger lives and dies with the process. `token`: an agent's key to act under; without one the agent acts
    for the local operator. `policies_from`: the address of a control plane whose policies to follow, with a key of its
    workspace and the public key (or its file) that its policies are signed with. Raises SetupError, Unauthenticated.
    """
    settings = read_settings(
        home=home,
        policy_source_url=policies_from,
        policy_source_api_key=policies_key,
        policy_source_trust=policies_trust,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop,), name="mutx-embedded", daemon=True)
    thread.start()
    try:
        plane = asyncio.run_coroutine_threadsafe(_start(settings, memory), loop).result(START_TIMEOUT)
        caller = partial(_caller, plane, token)
        asyncio.run_coroutine_threadsafe(caller(), loop).result(START_TIMEOUT)
    except MutxError:
        loop.call_soon_threadsafe(loop.stop)
        raise
    return Embedded(plane, caller, loop, thread)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


async def _start(settings: Settings, memory: bool) -> ControlPlane:
    plane = await build(settings, memory=memory)
    await plane.start()
    return plane


async def _caller(plane: ControlPlane, token: str | None) -> Caller:
    """Who the embedded agent acts for. Without a key it is a local process of the operator, which can never approve."""
    if token is None:
        return await plane.identities.vouched(plane.local_agent(Door.EMBEDDED))
    return replace(await plane.identities.authenticate(token), door=Door.EMBEDDED)


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedBody(f"arguments must be JSON values: {error}") from error
