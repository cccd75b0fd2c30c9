"""Many requests at once with one credential: one look into the store, and none that a revocation came after."""

import asyncio

import pytest
from msgspec.structs import replace

from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.errors import Unauthenticated
from mutx.server.identities import JOIN_SECONDS, KnownIdentities
from mutx.services.identity.sources import Verified
from tests.server.plane import Plane

ANA = Caller(workspace_id="w", principal_id="p", kind=PrincipalKind.PERSON, door=Door.HTTP, user_id="u", method="badge")


class Badges:
    """An identity source that answers when it is told to."""

    methods = frozenset({"badge"})

    def __init__(self) -> None:
        self.looks: list[asyncio.Future[None]] = []

    def recognises(self, credential: str) -> bool:
        return credential.startswith("badge")

    async def verify(self, credential: str) -> Verified:
        look: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.looks.append(look)
        await look
        if credential == "badge forged":
            raise Unauthenticated("forged")
        return Verified(replace(ANA, principal_id=str(len(self.looks))), None)

    async def current(self, caller: Caller) -> Caller | None:
        return caller


@pytest.fixture
def badges() -> Badges:
    return Badges()


@pytest.fixture
def identities(plane: Plane, badges: Badges) -> KnownIdentities:
    return KnownIdentities(plane.services.database, plane.services.auth, plane.clock, more=(badges,))


async def asked(identities: KnownIdentities, badge: str, times: int) -> list[asyncio.Task[Caller]]:
    tasks = [asyncio.create_task(identities.authenticate(badge)) for _ in range(times)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_requests_at_once_share_one_look(identities: KnownIdentities, badges: Badges) -> None:
    tasks = await asked(identities, "badge", 5)
    tasks[0].cancel()  # its client went away: the others still get their answer
    (look,) = badges.looks
    look.set_result(None)
    assert {caller.principal_id for caller in await asyncio.gather(*tasks[1:])} == {"1"}
    assert (await identities.authenticate("badge")).principal_id == "1"
    assert len(badges.looks) == 1


async def test_whoever_comes_after_a_revocation_is_looked_up_anew(
    plane: Plane, identities: KnownIdentities, badges: Badges
) -> None:
    before = await asked(identities, "badge", 2)
    plane.services.auth.callers.revoke()
    after = await asked(identities, "badge", 2)
    assert len(badges.looks) == 2
    for look in badges.looks:
        look.set_result(None)
    await asyncio.gather(*before, *after)
    assert identities.cached("badge") == await identities.authenticate("badge")


async def test_a_look_that_takes_long_is_joined_by_nobody_new(identities: KnownIdentities, badges: Badges) -> None:
    early = await asked(identities, "badge", 1)
    await asyncio.sleep(2 * JOIN_SECONDS)
    late = await asked(identities, "badge", 1)
    assert len(badges.looks) == 2
    for look in badges.looks:
        look.set_result(None)
    await asyncio.gather(*early, *late)


async def test_a_refusal_is_everybodys_and_is_not_remembered(identities: KnownIdentities, badges: Badges) -> None:
    tasks = await asked(identities, "badge forged", 3)
    badges.looks[0].set_result(None)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unauthenticated] * 3
    (again,) = await asked(identities, "badge forged", 1)
    badges.looks[1].set_result(None)
    with pytest.raises(Unauthenticated):
        await again
