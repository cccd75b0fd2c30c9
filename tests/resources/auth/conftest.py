from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from mutx.resources.auth.mailing import MailRoom
from mutx.server.mail import open_mailer
from tests.mailbox import Postbox, postbox
from tests.server.conftest import plane as plane
from tests.server.conftest import plane_on_both as plane_on_both
from tests.server.plane import STORES, Plane, running, store_url


class Post(Struct, frozen=True):
    """A plane that sends mail, and where it arrives."""

    plane: Plane
    box: Postbox
    room: MailRoom

    async def ask(self, operation: str, **body: str) -> int:
        """Perform a public operation, deliver what it led to, and say the status."""
        answer = await self.plane.client().post(f"/v1/auth/{operation}", json=body)
        await self.room.deliver()
        return answer.status_code


@pytest.fixture(scope="module")
def box() -> Iterator[Postbox]:
    with postbox() as box:
        yield box


@asynccontextmanager
async def posting(home: Path, box: Postbox, **given: object) -> AsyncIterator[Post]:
    box.mails.clear()
    box.refusing = False
    async with running(home, smtp_host="127.0.0.1", smtp_port=box.port, **given) as plane:
        mailer, services = open_mailer(plane.settings), plane.services
        assert mailer is not None
        yield Post(plane, box, MailRoom(services.database, services.auth, mailer, services.bus, plane.clock))


@pytest.fixture
async def post(tmp_path: Path, box: Postbox) -> AsyncIterator[Post]:
    async with posting(tmp_path / "home", box) as post:
        yield post


@pytest.fixture(params=STORES)
async def post_on_both(request: pytest.FixtureRequest, tmp_path: Path, box: Postbox) -> AsyncIterator[Post]:
    async with posting(tmp_path / "home", box, database_url=store_url(request)) as post:
        yield post


@pytest.fixture
async def strict(tmp_path: Path, box: Postbox) -> AsyncIterator[Post]:
    """Where no address counts before it is verified."""
    async with posting(tmp_path / "home", box, require_email_verification=True) as post:
        yield post
