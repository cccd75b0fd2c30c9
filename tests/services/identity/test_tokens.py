"""Access tokens hold only as they were issued."""

import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from mutx.kit.clock import ManualClock
from mutx.kit.errors import KeyUnusable, Unauthenticated
from mutx.services.identity.token_keys import TokenKeys, key_id_in, new_signing_key, with_new_key
from mutx.services.identity.tokens import LoginTokens

WHO = {"user_id": "u", "workspace_id": "w", "family_id": "f"}
KEY = new_signing_key()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def tokens(clock: ManualClock, *, key: bytes = KEY, **given: str) -> LoginTokens:
    who = {"issuer": "i", "audience": "a", **given}
    return LoginTokens(TokenKeys(key), lifetime=60, clock=clock, **who)


def key_id(key: bytes = KEY) -> str:
    return TokenKeys(key).jwks()["keys"][0]["kid"]


def test_a_token_says_who_and_how_long(clock: ManualClock) -> None:
    claims = tokens(clock).verify(tokens(clock).issue(**WHO))
    assert (claims.user_id, claims.workspace_id, claims.family_id) == ("u", "w", "f")
    assert claims.expires_at == clock.now() + 60


def test_a_token_ends(clock: ManualClock) -> None:
    token = tokens(clock).issue(**WHO)
    clock.advance(66)
    with pytest.raises(Unauthenticated, match="expired"):
        tokens(clock).verify(token)


@pytest.mark.parametrize("given", [{"issuer": "other"}, {"audience": "other"}, {"key": new_signing_key()}])
def test_a_token_of_another_server_is_none_of_ours(clock: ManualClock, given: dict) -> None:
    with pytest.raises(Unauthenticated):
        tokens(clock).verify(tokens(clock, **given).issue(**WHO))


def forged(clock: ManualClock, header: dict, claims: dict | None = None, key: object = None) -> str:
    now = int(clock.now())
    body = {"iss": "i", "aud": "a", "sub": "u", "wid": "w", "sid": "f", "iat": now, "exp": now + 60, **(claims or {})}
    header = {"kid": key_id(), **header}
    return jwt.encode(header, body, key or OKPKey.import_key(json.loads(KEY)), algorithms=[header["alg"]])


def test_only_access_tokens_count(clock: ManualClock) -> None:
    with pytest.raises(Unauthenticated, match="not for that"):
        tokens(clock).verify(forged(clock, {"alg": "Ed25519", "typ": "JWT"}))


def test_neither_token_is_taken_for_the_other(clock: ManualClock) -> None:
    issuer = tokens(clock)
    refresh = issuer.issue_refresh(
        token_id="t", user_id="u", family_id="f", began_at=clock.now(), expires_at=clock.now() + 600
    )
    with pytest.raises(Unauthenticated, match="not for that"):
        issuer.verify(refresh)
    with pytest.raises(Unauthenticated, match="not for that"):
        issuer.verify_refresh(issuer.issue(**WHO))


def test_a_refresh_token_says_what_the_documents_ask_for(clock: ManualClock) -> None:
    began = clock.now() - 5000
    token = tokens(clock).issue_refresh(
        token_id="t", user_id="u", family_id="f", began_at=began, expires_at=clock.now() + 600
    )
    claims = jwt.decode(token, OKPKey.import_key(json.loads(KEY)), algorithms=["Ed25519"]).claims
    assert (claims["type"], claims["sub"], claims["family_id"], claims["jti"]) == ("refresh", "u", "f", "t")
    assert (claims["iat"], claims["exp"]) == (int(began), int(clock.now() + 600))
    assert len(claims["nonce"]) >= 20
    found = tokens(clock, issuer="moved").verify_refresh(token)
    assert (found.token_id, found.user_id, found.family_id) == ("t", "u", "f")
    clock.advance(606)
    with pytest.raises(Unauthenticated, match="expired"):
        tokens(clock).verify_refresh(token)


def test_an_older_key_verifies_and_the_newest_signs(clock: ManualClock) -> None:
    before = tokens(clock).issue(**WHO)
    both = with_new_key(KEY)
    after = tokens(clock, key=both)
    assert after.verify(before).user_id == "u"
    assert after.ours(before)
    assert not tokens(clock).ours(after.issue(**WHO))
    kids = [key["kid"] for key in after.jwks()["keys"]]
    assert len(set(kids)) == 2
    assert kids[1] == key_id()
    third = with_new_key(both)
    assert len(TokenKeys(third).jwks()["keys"]) == len(TokenKeys(with_new_key(third)).jwks()["keys"]) == 3
    assert not any("d" in key for key in after.jwks()["keys"])


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c.d", "é.b.c", "W10.b.c", "e30.b.c", "eyJraWQiOjd9.b.c", "x" * 3000 + ".b.c", "[" * 2000 + ".b.c"],
)
def test_the_key_named_in_anything(text: str) -> None:
    assert key_id_in(text) is None


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


@pytest.mark.parametrize("key", [b"", b"{}", b"nope", b"7", b"[]", b'{"keys": []}', b'{"keys": 7}'])
def test_what_is_no_key(clock: ManualClock, key: bytes) -> None:
    with pytest.raises(KeyUnusable, match="token signing key"):
        tokens(clock, key=key)


def test_a_public_key_signs_nothing(clock: ManualClock) -> None:
    public = json.dumps(OKPKey.import_key(json.loads(KEY)).as_dict(private=False)).encode()
    with pytest.raises(KeyUnusable, match="no private part"):
        tokens(clock, key=public)
