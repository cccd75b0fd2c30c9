"""The provider's keys: rotated, gone for a while, and never asked for more often than need be."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mutx.kit.clock import ManualClock, SystemClock
from mutx.kit.errors import Unauthenticated, Unavailable
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.discovery import COOLDOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS
from mutx.services.oidc.flow import Attempt
from mutx.services.oidc.sign_on import SignOn
from tests.oidc.running import AUDIENCE, CLIENT_ID, CLIENT_SECRET, OpenIdProvider, running

REDIRECT = "http://127.0.0.1:8000/v1/auth/sso/house/callback"


def config(issuer: str, **more: str) -> OidcConfig:
    fields = {"provider": "house", "client_id": CLIENT_ID, "redirect_uri": REDIRECT, "client_secret": CLIENT_SECRET}
    return OidcConfig(issuer=issuer, audiences=(AUDIENCE,), **{**fields, **more})


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sign_on(clock: ManualClock, provider: OpenIdProvider) -> AsyncIterator[SignOn]:
    made = SignOn(config(provider.issuer), clock)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def provider() -> OpenIdProvider:
    with running(REDIRECT, {"ana": {"email": "ana@example.org", "groups": ["x"]}}, userinfo_only=True) as made:
        yield made


def token(provider: OpenIdProvider, clock: ManualClock, **header: str) -> str:
    now = int(clock.now())
    claims = {"iss": provider.issuer, "aud": [AUDIENCE, "other"], "sub": "dora", "iat": now, "exp": now + 10**6}
    return provider.signed(claims, **header)


async def test_a_rotated_key_is_fetched_when_a_token_names_it(
    sign_on: SignOn, provider: OpenIdProvider, clock: ManualClock
) -> None:
    old = token(provider, clock)
    assert (await sign_on.tokens.access_token(old))["sub"] == "dora"
    provider.rotate("second")
    new = token(provider, clock)
    with pytest.raises(Unauthenticated, match="does not publish"):
        await sign_on.tokens.access_token(new)  # an unknown key id does not make us ask each time
    clock.advance(COOLDOWN_SECONDS)
    assert (await sign_on.tokens.access_token(new))["sub"] == "dora"
    with pytest.raises(Unauthenticated, match="does not publish"):
        await sign_on.tokens.access_token(old)
    assert (await sign_on.tokens.access_token(token(provider, clock)))["sub"] == "dora"


async def test_an_outage_is_lived_through_for_a_day(
    sign_on: SignOn, provider: OpenIdProvider, clock: ManualClock
) -> None:
    known = token(provider, clock)
    await sign_on.tokens.access_token(known)
    provider.stop()
    try:
        clock.advance(FRESH_SECONDS)
        assert (await sign_on.tokens.access_token(known))["sub"] == "dora"
        clock.advance(STALE_SECONDS)
        with pytest.raises(Unavailable):
            await sign_on.tokens.access_token(known)
    finally:
        provider.start()
    clock.advance(COOLDOWN_SECONDS)
    assert (await sign_on.tokens.access_token(known))["sub"] == "dora"


async def test_nothing_is_known_before_the_provider_was_there(clock: ManualClock, provider: OpenIdProvider) -> None:
    wrong = SignOn(config(provider.issuer + "/nowhere"), clock)
    other = SignOn(config(provider.issuer, jwks_uri=provider.issuer + "/.well-known/openid-configuration"), clock)
    named = SignOn(config(provider.issuer.replace("127.0.0.1", "localhost")), clock)
    for made, said in ((wrong, "404"), (other, "holds no keys"), (named, "another issuer")):
        with pytest.raises(Unavailable, match=said):
            await made.tokens.access_token(token(provider, clock))
        await made.close()


async def test_a_set_address_of_the_keys_goes_before_discovery(clock: ManualClock, provider: OpenIdProvider) -> None:
    made = SignOn(config(provider.issuer, jwks_uri=provider.issuer + "/jwks"), clock)
    assert (await made.tokens.access_token(token(provider, clock)))["sub"] == "dora"
    await made.close()


async def test_userinfo_tells_what_the_id_token_does_not(provider: OpenIdProvider) -> None:
    made = SignOn(config(provider.issuer), SystemClock())
    attempt = Attempt("a-state", "a-binding")
    back = await provider.approve(await made.flow.authorization_url(attempt), "ana")
    assert back["state"] == "a-state"
    with pytest.raises(Unauthenticated, match="refused"):
        await made.flow.claims(Attempt("a-state", "another-binding"), back["code"])
    back = await provider.approve(await made.flow.authorization_url(attempt), "ana")
    claims = await made.flow.claims(attempt, back["code"])
    assert (claims["sub"], claims["email"], claims["groups"]) == ("ana", "ana@example.org", ["x"])
    with pytest.raises(Unauthenticated, match="refused"):
        await made.flow.claims(attempt, back["code"])
    await made.close()


async def test_an_answer_without_end_is_cut_off(clock: ManualClock) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        try:
            while True:
                writer.write(b" " * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    made = SignOn(config(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), clock)
    with pytest.raises(Unavailable, match="too large"):
        await made.flow.authorization_url(Attempt("s", "b"))
    await made.close()
    server.close()
