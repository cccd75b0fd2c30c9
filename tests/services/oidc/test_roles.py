"""Which role claims give, whoever issued them."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from mutx.services.oidc.discovery import _keys
from mutx.services.oidc.roles import has_role_claim, mapped_role
from mutx.services.oidc.verify import header_of

MAP = {"platform": "ADMIN", "devs": "DEVELOPER", "auditors": "AUDIT_ADMIN", "all": "VIEWER"}


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"roles": ["devs"]}, "DEVELOPER"),  # Auth0, Azure AD
        ({"roles": "devs"}, "DEVELOPER"),
        ({"groups": ["all", "platform"]}, "ADMIN"),  # Okta
        ({"realm_access": {"roles": ["auditors"]}}, "AUDIT_ADMIN"),  # Keycloak
        ({"resource_access": {"mutx": {"roles": ["all"]}, "other": {"roles": ["devs"]}}}, "DEVELOPER"),
        ({"roles": ["auditors"], "groups": ["devs"]}, "DEVELOPER"),
        ({"roles": ["ADMIN"]}, None),  # there is a map, and it does not know this name
        ({"roles": ["Platform"]}, None),
        ({"roles": [1, None, {}], "groups": {"a": "platform"}, "realm_access": ["platform"]}, None),
        ({"resource_access": {"mutx": ["platform"]}, "realm_access": {"roles": {"platform": 1}}}, None),
        ({}, None),
    ],
)
def test_claims_are_mapped(claims: dict[str, Any], role: str | None) -> None:
    assert mapped_role(claims, MAP) == role
    assert has_role_claim(claims) is bool(claims)


def test_without_a_map_our_own_names_stand_for_themselves() -> None:
    assert mapped_role({"roles": ["ADMIN", "VIEWER"]}, {}) == "ADMIN"
    assert mapped_role({"roles": ["admin"]}, {}) is None


def test_only_public_signing_keys_are_taken() -> None:
    good = [
        RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False),
        OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"}).as_dict(private=False),
    ]
    bad = [
        {"kty": "RSA", "kid": "short", "n": "x" * 171, "e": "AQAB"},
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True),
        RSAKey.generate_key(2048, {"kid": "enc", "use": "enc"}).as_dict(private=False),
        {"kty": "RSA", "kid": "broken", "n": "!"},
        "nothing",
    ]
    assert set(_keys({"keys": [*bad, *good]})) == {"rsa", "ec", "ed"}


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "W10.b.c", "x" * 20_000 + ".b.c", "é.b.c", "bnVsbA.b.c"])
def test_what_is_no_token_has_no_header(text: str) -> None:
    assert header_of(text) is None
