"""What may be said of an OpenID provider."""

from pathlib import Path

import pytest

from mutx.kit.clock import ManualClock
from mutx.kit.errors import SetupError
from mutx.server.settings.installation import read_settings
from mutx.server.sso import open_sign_on

ISSUER = {"oidc_issuer": "https://login.example.org", "oidc_client_id": "mutx"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "https://login.example.org"}, "OIDC_CLIENT_ID"),
        ({**ISSUER, "oidc_issuer": "http://login.example.org"}, "https"),
        ({**ISSUER, "oidc_jwks_uri": "http://login.example.org/keys"}, "OIDC_JWKS_URI"),
        ({**ISSUER, "oidc_issuer": "login.example.org"}, "https"),
        ({**ISSUER, "oidc_scopes": "email"}, "openid"),
        ({**ISSUER, "oidc_provider": "Our House"}, "OIDC_PROVIDER"),
        ({**ISSUER, "oidc_role_map": {"x": "KING"}}, "OIDC_ROLE_MAP"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(tmp_path: Path, given: dict, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        read_settings(home=tmp_path, **given)


async def test_the_environment_sets_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_sign_on(read_settings(home=tmp_path), ManualClock()) is None
    for name, value in {
        "OIDC_ISSUER": "https://login.example.org/realms/lab",
        "OIDC_CLIENT_ID": "mutx",
        "OIDC_CLIENT_SECRET": "tell-nobody",
        "OIDC_AUDIENCE": "api://mutx, other",
        "OIDC_ROLE_MAP": '{"platform": "ADMIN"}',
        "PUBLIC_URL": "https://mutx.example.org/",
    }.items():
        monkeypatch.setenv(name, value)
    made = open_sign_on(read_settings(home=tmp_path), ManualClock())
    assert made is not None
    assert made.config.audiences == ("api://mutx", "other")
    assert made.config.role_map == {"platform": "ADMIN"}
    assert made.config.redirect_uri == "https://mutx.example.org/v1/auth/sso/oidc/callback"
    assert "tell-nobody" not in repr(made.config)
    await made.close()
