"""Passwords, tokens and keys stand in the one answer that hands them out, and in nothing else that leaves the server."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import structlog
from msgspec import Struct, field

from mutx.server import logging as server_logging
from mutx.server.wiring import ControlPlane, build
from tests.faults.world import call, client, settings
from tests.mailbox import Postbox, postbox
from tests.services.telemetry.receivers import Received, http_receiver

PASSWORD, WRONG, FRESH = "correct horse battery", "an utterly wrong guess", "another horse entirely"


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Everything that is logged, down to the last detail."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    server_logging.configure("DEBUG")
    yield capsys
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Story(Struct):
    """What was said and what it may not be found in."""

    plane: ControlPlane
    secrets: list[str] = field(default_factory=lambda: [PASSWORD, WRONG, FRESH])
    answers: list[str] = field(default_factory=list)
    """Of requests that hand out no secret, errors above all; with their headers."""

    async def say(self, path: str, body: object, credential: str | None = None, **headers: str) -> httpx2.Response:
        async with client(self.plane, credential) as http:
            answer = await http.post(path, json=body, headers=headers)
        given = answer.json() if answer.is_success else {}
        handed_out = [
            str(given[name]) for name in ("access_token", "refresh_token", "key", "api_key") if given.get(name)
        ]
        self.secrets += handed_out
        if not handed_out:
            self.answers.append(f"{answer.headers} {answer.text}")
        return answer

    async def look(self, path: str, credential: str) -> None:
        async with client(self.plane, credential) as http:
            answer = await http.get(path)
        self.answers.append(f"{answer.headers} {answer.text}")


@asynccontextmanager
async def told(home: Path, box: Postbox, receiver: Received) -> AsyncIterator[Story]:
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "event_log": home / "events.jsonl",
        "otlp_endpoint": f"{receiver.url}/v1/traces",
        "log_level": "DEBUG",
    }
    plane = await build(settings(home, **given))
    await plane.start()
    try:
        yield Story(plane)
    finally:
        await plane.stop()


async def until(happened: Callable[[], bool]) -> None:
    """What a worker does happens a little later."""
    for _ in range(400):
        if happened():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never happened")


async def people(story: Story, box: Postbox) -> str:
    """Register, sign in well and badly, refresh, misuse, forget, reset. An access token that works."""
    ana = {"email": "ana@example.org", "password": PASSWORD}
    made = (await story.say("/v1/auth/register", {**ana, "name": "Ana"})).json()
    await story.say("/v1/auth/register", {**ana, "name": "Ana"})
    await story.say("/v1/auth/login", {**ana, "password": WRONG})
    await story.say("/v1/auth/login", {"email": PASSWORD, "password": {"nested": WRONG}})
    await story.say("/v1/auth/login", {**ana, "passwort": WRONG, "cookie": WRONG})
    pair = (await story.say("/v1/auth/refresh", {"refresh_token": made["refresh_token"]})).json()
    await story.say("/v1/auth/refresh", {"refresh_token": made["refresh_token"]})
    await story.say("/v1/auth/refresh", {"refresh_token": [pair["refresh_token"]]})
    await story.say("/v1/auth/logout", {"refresh_token": pair["refresh_token"]}, pair["access_token"])
    await story.say("/v1/auth/forgot-password", {"email": "ana@example.org"})
    await until(lambda: any("reset" in mail.get_content() for _, mail in box.mails))
    tokens = [box.token(index) for index in range(len(box.mails))]
    story.secrets += tokens
    reset = next(token for token in tokens if "reset" in token)
    await story.say("/v1/auth/reset-password", {"token": reset, "new_password": "short"})
    await story.say("/v1/auth/reset-password", {"token": reset, "new_password": FRESH})
    await story.say("/v1/auth/reset-password", {"token": reset, "new_password": FRESH})
    await story.say("/v1/auth/verify-email", {"token": reset})
    return str((await story.say("/v1/auth/login", {**ana, "password": FRESH})).json()["access_token"])


async def programs(story: Story, token: str) -> None:
    """Make, rotate, revoke and misuse keys; decide with one."""
    made = (await story.say("/v1/api-keys", {"name": "ci", "scopes": ["admin"]}, token)).json()
    agent = (await story.say("/v1/agents/register", {"name": "bot"}, token)).json()
    for key in (made["key"], agent["api_key"]):
        await story.say("/v1/governance/decide", call("read", _agent_id=agent["agent_id"]), key)
        await story.say("/v1/governance/decide", {"tool_name": 7}, key)
        await story.say("/v1/api-keys", {"name": key[:3], "scopes": ["nonsense"]}, key)
    rotated = (await story.say(f"/v1/api-keys/{made['id']}/rotate", {"overlap_seconds": 60}, token)).json()
    async with client(story.plane, rotated["key"]) as http:
        await http.delete(f"/v1/api-keys/{made['id']}")
    for dead in (made["key"], rotated["key"], f"{rotated['key']}x", f"{token}x"):
        await story.say("/v1/api-keys", {"name": "more"}, dead)
        await story.say("/v1/governance/decide", call("read"), None, **{"x-api-key": dead})
    for path in ("/v1/auth/me", "/v1/api-keys", "/v1/audit/events", "/metrics", "/v1/agents", "/ready"):
        await story.look(path, token)


async def test_nothing_that_leaves_the_server_holds_a_secret(tmp_path: Path, logs: pytest.CaptureFixture[str]) -> None:
    with postbox() as box, http_receiver() as receiver:
        async with told(tmp_path, box, receiver) as story:
            await programs(story, await people(story, box))
            await until(lambda: b"API_KEY_DELETED" in (tmp_path / "events.jsonl").read_bytes())
    with sqlite3.connect(tmp_path / "mutx.db") as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    heard = {
        "answers": "\n".join(story.answers),
        "log": "".join(logs.readouterr()),
        "event log": (tmp_path / "events.jsonl").read_text(),
        "traces": "\n".join(body.decode("latin-1") for _, _, body in receiver.requests),
        "store": (tmp_path / "mutx.db").read_bytes().decode("latin-1"),
    }
    assert all(len(text) > 200 for text in heard.values()), {name: len(text) for name, text in heard.items()}
    assert len(story.secrets) >= 14
    found = [(where, secret[:12]) for where, text in heard.items() for secret in story.secrets if secret in text]
    assert found == []
