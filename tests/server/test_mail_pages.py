"""The pages that mails link to: their script, run by Node, against the real server, with tokens out of real mails."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from mutx.server import mail_pages
from mutx.server.wiring import ControlPlane, build
from tests.faults.world import settings
from tests.mailbox import Postbox, postbox
from tests.oidc.running import NODE
from tests.redis_server import until

HERE = Path(__file__).parent
PASSWORD = "correct horse battery"


class House:
    """A control plane that listens on a port, sends mails and is asked by pages."""

    def __init__(self, plane: ControlPlane, box: Postbox, origin: str) -> None:
        self.plane = plane
        self.box = box
        self.origin = origin
        self._read = 0
        self.http = httpx2.AsyncClient(base_url=origin)

    async def ask(self, path: str, body: dict[str, Any], bearer: str = "") -> Any:
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def mailed(self) -> str:
        """The token of the next mail."""
        self._read += 1
        await until(lambda: len(self.box.mails) >= self._read, 30)
        return self.box.token(self._read - 1)

    async def open(self, path: str, token: str, **typed: str) -> Any:
        """What the page says after somebody typed and submitted."""
        script = str(files(mail_pages).joinpath("page.js"))
        given = {"origin": self.origin, "path": path, "token": token, "typed": typed, "script": script}
        node = await asyncio.create_subprocess_exec(
            NODE, HERE / "mail_page.mjs", env={"PAGE": json.dumps(given)}, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await node.communicate()
        assert node.returncode == 0
        return json.loads(said)


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as made:
        yield made


@pytest.fixture
async def house(tmp_path: Path, box: Postbox) -> AsyncIterator[House]:
    plane = await build(settings(tmp_path / "home", smtp_host="127.0.0.1", smtp_port=box.port))
    await plane.start()
    server = uvicorn.Server(uvicorn.Config(plane.app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, 30)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = House(plane, box, f"http://127.0.0.1:{port}")
    yield made
    await made.http.aclose()
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving
    await plane.stop()


async def test_pages_are_for_browsers_and_trust_nobody(house: House) -> None:
    for path in (*mail_pages.PAGES, "/mail-pages/page.css", "/mail-pages/page.js"):
        answer = await house.http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith("text/")
        assert answer.headers["content-security-policy"] == mail_pages.POLICY
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await house.http.get("/mail-pages/page.html")).status_code == 404
    assert (await house.http.post("/verify-email")).status_code == 405


async def test_an_address_is_verified_and_a_password_set(house: House) -> None:
    ana = await house.ask("/v1/auth/register", {"email": "ana@example.org", "name": "Ana", "password": PASSWORD})
    token = await house.mailed()
    verified = await house.open("/verify-email", token)
    assert (verified["kind"], verified["fields"], verified["hash"]) == ("done", [], "")
    again = await house.open("/verify-email", token)
    assert again["kind"] == "error"
    assert (await house.http.get("/v1/auth/me", headers={"authorization": f"Bearer {ana['access_token']}"})).json()[
        "is_email_verified"
    ]
    await house.ask("/v1/auth/forgot-password", {"email": "ana@example.org"})
    token = await house.mailed()
    differ = await house.open("/reset-password", token, first="another good one", second="something else")
    assert (differ["kind"], differ["said"]) == ("error", "The two passwords differ.")
    assert [kind for _, kind in differ["fields"]] == ["password", "password"]
    empty = await house.open("/reset-password", token, first="another good one")
    assert (empty["kind"], empty["said"]) == ("error", "Fill in every field.")
    done = await house.open("/reset-password", token, first="another good one", second="another good one")
    assert done["kind"] == "done", done
    await house.ask("/v1/auth/login", {"email": "ana@example.org", "password": "another good one"})


async def test_an_invitation_is_accepted(house: House) -> None:
    operator, shop = await house.plane.local_token(), house.plane.operator.workspace_id
    bob = {"email": "bob@example.org", "password": PASSWORD}
    await house.ask("/v1/auth/register", {**bob, "name": "Bob"})
    invited = {"email": "bob@example.org", "role": "DEVELOPER"}
    token = (await house.ask(f"/v1/workspaces/{shop}/invitations", invited, operator))["token"]
    wrong = await house.open("/accept-invitation", token, email="bob@example.org", word="not his")
    assert wrong["kind"] == "error"
    joined = await house.open("/accept-invitation", token, email="bob@example.org", word=PASSWORD)
    assert joined["kind"] == "done", joined
    assert joined["said"].endswith("as DEVELOPER.")
    signed_in = await house.ask("/v1/auth/login", bob)
    headers = {"authorization": f"Bearer {signed_in['access_token']}"}
    assert shop in (await house.http.get("/v1/workspaces", headers=headers)).text


async def test_a_link_without_its_token_says_so(house: House) -> None:
    opened = await house.open("/accept-invitation", "")
    assert (opened["kind"], opened["fields"]) == ("error", [])
