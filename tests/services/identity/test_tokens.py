"""Access tokens hold only as they were issued."""

import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from mutx.kit.clock import ManualClock
from mutx.kit.errors import KeyUnusable, Unauthenticated
from mutx.services.identity.tokens import AccessTokens, new_signing_key

WHO = {"user_id": "u", "workspace_id": "w", "family_id": "f"}
KEY = new_signing_key()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def tokens(clock: ManualClock, **given: object) -> AccessTokens:
    return AccessTokens(**{"private_jwk": KEY, "issuer": "i", "audience": "a", "lifetime": 60, "clock": clock, **given})


def test_a_token_says_who_and_how_long(clock: ManualClock) -> None:
    claims = tokens(clock).verify(tokens(clock).issue(**WHO))
    assert (claims.user_id, claims.workspace_id, claims.family_id) == ("u", "w", "f")
    assert claims.expires_at == clock.now() + 60


def test_a_token_ends(clock: ManualClock) -> None:
    token = tokens(clock).issue(**WHO)
    clock.advance(66)
    with pytest.raises(Unauthenticated, match="expired"):
        tokens(clock).verify(token)


@pytest.mark.parametrize("given", [{"issuer": "other"}, {"audience": "other"}, {"private_jwk": new_signing_key()}])
def test_a_token_of_another_server_is_none_of_ours(clock: ManualClock, given: dict) -> None:
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(tokens(clock, **given).issue(**WHO))


def forged(clock: ManualClock, header: dict, claims: dict | None = None, key: object = None) -> str:
    now = int(clock.now())
    body = {"iss": "i", "aud": "a", "sub": "u", "wid": "w", "sid": "f", "iat": now, "exp": now + 60, **(claims or {})}
    return jwt.encode(header, body, key or OKPKey.import_key(json.loads(KEY)), algorithms=[header["alg"]])


def test_only_access_tokens_count(clock: ManualClock) -> None:
    with pytest.raises(Unauthenticated, match="not an access token"):
        tokens(clock).verify(forged(clock, {"alg": "Ed25519", "typ": "JWT"}))


def test_claims_are_texts(clock: ManualClock) -> None:
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(forged(clock, {"alg": "Ed25519", "typ": "at+jwt"}, {"wid": 7}))
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(forged(clock, {"alg": "Ed25519", "typ": "at+jwt"}, {"wid": ""}))


def test_the_public_key_used_as_a_shared_secret_is_no_key(clock: ManualClock) -> None:
    public = tokens(clock).jwks()["keys"][0]["x"]
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(forged(clock, {"alg": "HS256", "typ": "at+jwt"}, key=OctKey.import_key(public * 2)))


@pytest.mark.parametrize("token", ["", "a.b.c", "..", "e30.e30.", "x" * 100])
def test_what_is_no_token(clock: ManualClock, token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(token)


@pytest.mark.parametrize("key", [b"", b"{}", b"nope"])
def test_what_is_no_key(clock: ManualClock, key: bytes) -> None:
    with pytest.raises(KeyUnusable, match="token signing key"):
        tokens(clock, private_jwk=key)


def test_a_public_key_signs_nothing(clock: ManualClock) -> None:
    public = json.dumps(OKPKey.import_key(json.loads(KEY)).as_dict(private=False)).encode()
    with pytest.raises(KeyUnusable, match="no private part"):
        tokens(clock, private_jwk=public)
