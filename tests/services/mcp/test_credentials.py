"""Whose token it is, and whether it was issued for this door."""

import base64
import json
from typing import Any

import httpx2
import pytest
from starlette.authentication import AuthenticationError

from mutx.kit.errors import SetupError
from mutx.sdk.client import MutxAsyncClient
from mutx.server.doors.mcp.credentials import MAX_TOKEN, ControlPlaneVerifier
from mutx.server.doors.mcp.http_door import HttpPlace

DOOR = "https://mcp.example.org/mcp"
CALLER = {"principal_id": "p", "kind": "person", "workspace_id": "w", "user_id": "u", "scopes": ["act"]}


def jwt(**claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.signature"


def verifier(status: int = 200, *, method: str = "oidc", asked: list[str] | None = None) -> ControlPlaneVerifier:
    """Before a control plane that takes every token, or answers `status`."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if asked is not None:
            asked.append(request.headers["authorization"])
        if status != 200:
            return httpx2.Response(
                status, json={"code": "unauthenticated" if status == 401 else "unavailable", "message": "no"}
            )
        return httpx2.Response(200, json={**CALLER, "method": method})

    return ControlPlaneVerifier(
        lambda token: MutxAsyncClient("http://plane", api_key=token, transport=httpx2.MockTransport(answer)), DOOR
    )


@pytest.mark.parametrize(
    ("token", "good"),
    [
        (jwt(aud=DOOR), True),
        (jwt(aud=["https://other", f"{DOOR}/"]), True),
        (jwt(aud="https://mcp.example.org"), False),
        (jwt(aud="https://mutx.example.org"), False),
        (jwt(aud=7), False),
        (jwt(), False),
        ("a.!!!.c", False),
        (f"a.{base64.urlsafe_b64encode(b'[]').decode()}.c", False),
        ("opaque", False),
    ],
)
async def test_a_providers_token_must_be_for_this_door(token: str, good: bool) -> None:
    found = await verifier().verify_token(token)
    assert (found is not None) is good
    if found is not None:
        assert (found.client_id, found.subject, found.resource) == ("p", "u", DOOR)


async def test_what_the_control_plane_issued_itself_is_for_its_doors() -> None:
    for method in ("jwt", "api_key", "agent_key"):
        assert await verifier(method=method).verify_token("mutx_live_x") is not None


async def test_a_token_is_asked_about_once_in_a_while() -> None:
    asked: list[str] = []
    one = verifier(method="jwt", asked=asked)
    for token in ("first", "first", "second"):
        assert await one.verify_token(token) is not None
    assert asked == ["Bearer first", "Bearer second"]


async def test_bad_tokens_and_a_control_plane_that_is_away() -> None:
    assert await verifier(401).verify_token("wrong") is None
    assert await verifier().verify_token("x" * (MAX_TOKEN + 1)) is None
    assert await verifier().verify_token("né") is None
    with pytest.raises(AuthenticationError):
        await verifier(503).verify_token("any")


def test_beyond_this_machine_the_door_needs_encryption() -> None:
    HttpPlace(host="127.0.0.1", port=8808).check()
    HttpPlace(host="0.0.0.0", port=8808, public_url="https://mcp.example.org").check()
    for public in ("", "http://mcp.example.org"):
        with pytest.raises(SetupError, match="--public-url"):
            HttpPlace(host="0.0.0.0", port=8808, public_url=public).check()
    assert HttpPlace(host="::1", port=1, public_url="https://x.org/").resource == "https://x.org/mcp"
