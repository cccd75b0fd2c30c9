"""Streams that were open when somebody lost a right."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from mutx.kit.errors import Unavailable
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build

SECONDS = 30
ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    made = await build(Settings(home=tmp_path))
    yield made
    await made.stop()


@pytest.fixture
async def ana(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {await plane.local_token()}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=plane.app), base_url=ORIGIN, headers=headers
    ) as http:
        yield http


class Listener:
    """Reads a stream of events as a client would, straight from the application."""

    def __init__(self, plane: ControlPlane, credential: str) -> None:
        self._plane = plane
        self._credential = credential
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "Listener":
        self._task = asyncio.create_task(self._listen())
        assert (await self.next())["status"] == 200
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._task

    async def next(self) -> Message:
        async with asyncio.timeout(SECONDS):
            return await self._said.get()

    async def until(self, word: bytes) -> bool:
        """Whether the word came before the end of the stream."""
        while (message := await self.next()).get("more_body"):
            if word in message["body"]:
                return True
        return False

    async def _listen(self) -> None:
        path = "/v1/policies/stream"
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer " + self._credential.encode())],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8000),
        }
        await self._plane.app(scope, self._receive, self._said.put)

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}


async def _key(person: httpx2.AsyncClient) -> dict[str, str]:
    answer = await person.post("/v1/api-keys", json={"name": "ci", "scopes": ["policies:read"]})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def _policy(person: httpx2.AsyncClient, name: str) -> None:
    answer = await person.post("/v1/policies", json={"name": name, "document": f"name: {name}\ndefault: allow"})
    assert answer.status_code == 201, answer.text


async def test_a_stream_ends_with_the_key_that_opened_it(plane: ControlPlane, ana: httpx2.AsyncClient) -> None:
    key = await _key(ana)
    async with Listener(plane, key["key"]) as listener:
        await _policy(ana, "first")
        assert await listener.until(b"first")
        await ana.delete(f"/v1/api-keys/{key['id']}")
        await _policy(ana, "secret")
        assert not await listener.until(b"secret")


async def test_a_stream_outlives_what_others_lose(plane: ControlPlane, ana: httpx2.AsyncClient) -> None:
    mine, other = await _key(ana), await _key(ana)
    async with Listener(plane, mine["key"]) as listener:
        await ana.delete(f"/v1/api-keys/{other['id']}")
        await _policy(ana, "first")
        assert await listener.until(b"first")


async def test_a_store_that_cannot_say_who_is_revoked_ends_the_stream(
    plane: ControlPlane, ana: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await _key(ana)

    async def away(*_: object) -> None:
        raise Unavailable("the database is away")

    async with Listener(plane, key["key"]) as listener:
        monkeypatch.setattr(plane.identities, "current", away)
        await ana.delete(f"/v1/api-keys/{key['id']}")
        await _policy(ana, "secret")
        assert not await listener.until(b"secret")
