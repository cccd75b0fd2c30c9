"""Signing in to a server behind the proxy with OAuth: discovery, registration, PKCE, and tokens that lie sealed."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from mutx.cli.demo.control_plane import free_port
from mutx.kit.errors import KeyUnusable, SetupError
from mutx.server.doors.mcp.signing_in import Callback, sign_in
from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.oauth import client_auth, open_store
from mutx.services.mcp.transports import transport_to
from mutx.services.mcp.upstream import Upstream, UpstreamGone
from tests.e2e.test_mcp import program
from tests.services.mcp.conftest import Desk, text_of

GUARDED = Path(__file__).with_name("guarded.py")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with program(tmp_path_factory.mktemp("guarded") / "log", str(GUARDED), str(port), ready=port):
        yield f"http://127.0.0.1:{port}/mcp"


async def browse(address: str) -> None:
    """A person who agrees to everything."""
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        answer = await browser.get(address)
    assert answer.status_code == 200, answer.text
    assert "Signed in" in answer.text


async def test_a_sign_in_lasts_and_lies_sealed(guarded: str, desk: Desk, tmp_path: Path) -> None:
    name, spec = desk.name(), ServerSpec(url=guarded, oauth=True)
    storage = open_store(tmp_path).of(name, guarded)
    before = transport_to(spec, client_auth(name, guarded, storage))
    async with desk.proxy({name: before}) as client:
        assert (await client.list_tools()).tools == []
    assert await sign_in(name, spec, storage, browse) == 1
    tokens = await storage.get_tokens()
    assert tokens is not None
    kept = (tmp_path / "mcp" / f"{name}.tokens").read_text()
    assert tokens.access_token not in kept
    after = transport_to(spec, client_auth(name, guarded, open_store(tmp_path).of(name, guarded)))
    async with desk.proxy({name: after}) as client:
        assert text_of(await client.call_tool(f"{name}__read_safe")) == "gold"
    elsewhere = open_store(tmp_path).of(name, "http://evil.example/mcp")
    with pytest.raises(KeyUnusable):
        await elsewhere.get_tokens()
    storage.forget()
    assert await storage.get_tokens() is None


async def test_without_a_sign_in_the_error_says_what_to_do(guarded: str, tmp_path: Path) -> None:
    spec = ServerSpec(url=guarded, oauth=True)
    auth = client_auth("safe", guarded, open_store(tmp_path).of("safe", guarded))
    from mcp import Client

    upstream = Upstream("safe", transport_to(spec, auth), lambda transport: Client(transport, cache=None))
    with pytest.raises(UpstreamGone, match="mutx mcp login safe"):
        await upstream.session()
    await upstream.close()


async def test_a_refused_sign_in_and_strangers_at_the_callback() -> None:
    callback = Callback()
    async with callback.listening(), httpx2.AsyncClient() as browser:
        origin = callback.url.removesuffix("/callback")
        assert (await browser.get(f"{origin}/other")).status_code == 404
        await browser.get(f"{callback.url}?error=access_denied&error_description=no")
        with pytest.raises(SetupError, match="refused: no"):
            await callback.answered()


async def test_a_server_without_oauth_is_not_signed_in_to(tmp_path: Path) -> None:
    spec = ServerSpec(url="http://127.0.0.1:1/mcp")
    with pytest.raises(SetupError, match='"oauth": true'):
        await sign_in("plain", spec, open_store(tmp_path).of("plain", spec.url or ""), browse)
