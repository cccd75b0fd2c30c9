"""Which scope includes which, and who holds what."""

import pytest

from mutx.kit import errors
from mutx.kit.errors import BY_CODE, PermissionDenied, Unauthenticated
from mutx.web.access import AGENT_SCOPES, covers, narrowed, require, scopes_of
from mutx.web.problems import status_of


@pytest.mark.parametrize(
    ("held", "wanted", "enough"),
    [
        (["read"], "agents:read", True),
        (["read"], "agents:write", False),
        (["write"], "agents:read", True),
        (["write"], "agents:act", True),
        (["write"], "workspaces:admin", False),
        (["admin"], "anything:admin", True),
        (["agents:write"], "agents:read", True),
        (["agents:write"], "api_keys:read", False),
        (["agents:admin"], "write", False),
        (["act"], "agents:read", False),
        (["read"], "agents:act", False),
        ([], "agents:read", False),
        (["admin"], "agents:fly", False),
        (["x:read"], "read", False),
    ],
)
def test_covering(held: list[str], wanted: str, enough: bool) -> None:
    assert covers(held, wanted) is enough


def test_roles_give_scopes() -> None:
    assert scopes_of(["ADMIN"]) == ("admin",)
    assert not covers(scopes_of(["AUDIT_ADMIN"]), "agents:read")
    assert covers(scopes_of(["AUDIT_ADMIN"]), "audit:read")
    assert scopes_of(["VIEWER", "DEVELOPER", "VIEWER", "NOBODY"]) == ("read", "write")


def test_a_key_is_narrowed_to_its_owner_and_the_owner_to_the_key() -> None:
    assert narrowed(["admin"], ["agents:read"]) == ("agents:read",)
    assert narrowed(["read"], ["admin"]) == ("read",)
    assert narrowed(["agents:read"], ["api_keys:read"]) == ()


def test_agents_decide_and_never_administer() -> None:
    assert covers(AGENT_SCOPES, "governance:act")
    assert not any(covers(AGENT_SCOPES, scope) for scope in ("agents:write", "approvals:write", "policies:write"))


def test_nobody_is_asked_to_sign_in() -> None:
    with pytest.raises(Unauthenticated, match="sign in"):
        require(None, "agents:read")


def test_every_error_has_a_status() -> None:
    assert {code: status_of(kind("x")) for code, kind in BY_CODE.items()}["setup_error"] == 500
    assert status_of(errors.PermitRefused("x")) == 409
    assert status_of(PermissionDenied("x")) == 403
    assert status_of(errors.KeyUnusable("x")) == 500
    assert status_of(errors.LedgerUnavailable("x")) == 503
