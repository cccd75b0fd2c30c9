"""JWT-SVIDs, verified with authorities from a file and from the Workload API: one suite for both."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mutx.kit.clock import SystemClock
from mutx.kit.errors import Unauthenticated, Unavailable
from mutx.services.spiffe_identity.bundles import FileBundles, TrustBundles, WorkloadBundles
from mutx.services.spiffe_identity.svids import SvidVerifier
from tests.services.spiffe_identity.workload_api import AUDIENCE, DOMAIN, Authority, WorkloadApi

NAME = "/agent/1"


class Source:
    """An authority, whom the verifier believes, and a way to tell it of new keys."""

    def __init__(self, authority: Authority, bundles: TrustBundles, tell: Callable[[], object]) -> None:
        self.authority = authority
        self.tell = tell
        self.svids = SvidVerifier(DOMAIN, (AUDIENCE,), bundles, SystemClock())


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Socket paths are short."""
    folder = Path(tempfile.mkdtemp(prefix="spf-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["file", "workload-api"])
def source(request: pytest.FixtureRequest, short_folder: Path) -> Iterator[Source]:
    authority = Authority()
    if request.param == "file":
        path = short_folder / "bundle.json"
        path.write_bytes(authority.bundle())
        made = Source(authority, FileBundles(DOMAIN, path), lambda: path.write_bytes(authority.bundle()))
        yield made
        made.svids.close()
    else:
        api = WorkloadApi(short_folder, authority).start()
        made = Source(authority, WorkloadBundles(DOMAIN, api.socket), api.tell)
        yield made
        made.svids.close()
        api.stop()


async def test_a_workload_is_known_by_its_name(source: Source) -> None:
    token = source.authority.svid(NAME)
    assert source.svids.recognises(token)
    workload = await source.svids.verify(token)
    assert (workload.spiffe_id, workload.path) == (f"spiffe://{DOMAIN}{NAME}", NAME)
    assert time.time() < workload.expires_at <= time.time() + 300
    assert source.svids.path_of(workload.spiffe_id) == NAME
    assert source.svids.path_of("spiffe://elsewhere.test/agent/1") is None


async def test_what_is_not_a_valid_svid_opens_nothing(source: Source) -> None:
    good, stranger = source.authority, Authority("first")
    unsigned = good.svid(NAME).rpartition(".")[0] + "."
    for token in (
        good.svid(NAME, lasts=-1),
        good.svid(NAME, aud=["somebody else"]),
        good.svid(NAME, aud=[]),
        good.svid(NAME, exp=None),
        good.svid("", domain=DOMAIN + "/../x"),
        stranger.svid(NAME),
        Authority("second").svid(NAME),
        good.svid(NAME, header={"kid": "unheard-of"}),
        good.svid(NAME, header={"typ": "at+jwt"}),
        good.svid(NAME)[:-4] + "AAAA",
        unsigned,
    ):
        with pytest.raises(Unauthenticated) as refused:
            await source.svids.verify(token)
        assert token not in str(refused.value)


async def test_only_names_of_our_trust_domain_are_looked_at(source: Source) -> None:
    other = source.authority.svid(NAME, domain="elsewhere.test")
    for text in (other, "", "a.b", "a.b.c", "mutx_live_x", "é.é.é", "x" * 9000, "W10.W10.W10", "e30.e30.e30"):
        assert not source.svids.recognises(text)
    with pytest.raises(Unauthenticated):
        await source.svids.verify(other)


async def test_new_authorities_are_believed_and_old_ones_are_not(source: Source) -> None:
    old = source.authority.svid(NAME)
    await source.svids.verify(old)
    source.authority.rotate("another")
    source.tell()
    new = source.authority.svid(NAME)
    async with asyncio.timeout(30):
        while True:
            try:
                await source.svids.verify(new)
                break
            except Unauthenticated:
                await asyncio.sleep(0.02)
    with pytest.raises(Unauthenticated):
        await source.svids.verify(old)


async def test_without_a_bundle_nobody_is_judged(tmp_path: Path) -> None:
    token, clock = Authority().svid(NAME), SystemClock()
    missing = FileBundles(DOMAIN, tmp_path / "bundle.json")
    away = WorkloadBundles(DOMAIN, f"unix://{tmp_path / 'agent.sock'}")
    for bundles in (missing, away):
        with pytest.raises(Unavailable):
            await SvidVerifier(DOMAIN, (AUDIENCE,), bundles, clock).verify(token)
        bundles.close()
    (tmp_path / "bundle.json").write_text("[]")
    with pytest.raises(Unavailable, match=r"bundle\.json"):
        missing.current()
    (tmp_path / "bundle.json").write_text(" " * ((1 << 20) + 1))
    with pytest.raises(Unavailable, match="larger"):
        missing.current()


def test_a_domain_that_the_agent_does_not_know_is_said(short_folder: Path) -> None:
    api = WorkloadApi(short_folder, Authority()).start()
    bundles = WorkloadBundles("elsewhere.test", api.socket)
    with pytest.raises(Unavailable, match="federation"):
        bundles.current()
    bundles.close()
    api.stop()
