from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mutx.server.wiring import ControlPlane, build
from tests.faults.world import settings
from tests.oidc.running import AUDIENCE, CLIENT_ID, CLIENT_SECRET, OpenIdProvider, running

REDIRECT = "http://127.0.0.1:8000/v1/auth/sso/house/callback"
PAGE = "http://127.0.0.1:8000/signed-in"

CLAIMS = {
    "ana": {"email": "ana@example.org", "email_verified": True, "name": "Ana", "groups": ["platform"]},
    "bob": {"email": "bob@example.org", "email_verified": False, "name": "Bob", "roles": ["unheard-of"]},
    "mutx-cli": {"realm_access": {"roles": ["builders"]}},
}


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenIdProvider]:
    with running(REDIRECT, CLAIMS, pages=(PAGE,)) as made:
        yield made


@pytest.fixture
async def plane(tmp_path: Path, provider: OpenIdProvider) -> AsyncIterator[ControlPlane]:
    made = await build(
        settings(
            tmp_path / "home",
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret=CLIENT_SECRET,
            oidc_audience=AUDIENCE,
            oidc_provider="house",
            oidc_role_map={"platform": "ADMIN", "builders": "DEVELOPER"},
        )
    )
    yield made
    await made.stop()
