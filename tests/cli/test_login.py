"""Signing in and out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mutx.cli.main import cli
from mutx.contract.api_keys import ApiKeyCreate
from mutx.contract.auth import Registration
from mutx.sdk import MutxClient
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("address")
PASSWORD = "correct horse battery"


def test_local_login_status_and_logout(run: Run, home: Path) -> None:
    assert "Local Operator" in run("login", "--local").stdout
    stored = home / "credentials.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert "healthy" in run("status").stdout
    found = json.loads(run("status", "--json").stdout)
    assert found["user"] == "Local Operator"
    assert found["policies"] == 1
    old = stored.read_text()
    assert "signed out" in run("logout").stdout
    assert not stored.exists()
    run("status", exits=4)
    stored.write_text(old)
    stored.chmod(0o600)
    run("status", exits=4)  # the control plane ended the login, too
    run("logout")
    assert "signed out" in run("logout").stdout, "there was nothing to forget"


def test_a_password_is_read_and_never_an_argument(run: Run, client: MutxClient) -> None:
    client.auth.register(Registration(email="bo@example.org", name="Bo", password=PASSWORD))
    assert "Bo" in run("login", "--email", "bo@example.org", typed=f"{PASSWORD}\n").stdout
    assert json.loads(run("auth", "me", "--json").stdout)["email"] == "bo@example.org"
    run("login", "--email", "bo@example.org", "--password", PASSWORD, exits=2)
    run("login", "--email", "bo@example.org", exits=4, typed="wrong\n")
    run("login", "--email", "x", "--local", exits=2)


def test_a_key_serves_people_and_agents(
    run: Run, client: MutxClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = client.api_keys.create(ApiKeyCreate(name="cli")).key
    run("login", "--api-key", typed=f"{key}\n")
    assert json.loads((home / "client.json").read_text())["api_key"] == key
    assert (home / "client.json").stat().st_mode & 0o777 == 0o600
    run("auth", "me")
    monkeypatch.setenv("MUTX_API_KEY", "mutx_wrong")
    run("login", "--api-key", exits=4)


def test_credentials_that_others_may_read_are_refused(run: Run, home: Path) -> None:
    run("login", "--local")
    (home / "credentials.json").chmod(0o644)
    assert "chmod 600" in run("status", exits=1).stderr


def test_doctor_finds_what_is_wrong_and_says_what_to_do(
    run: Run, home: Path, plane: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("login", "--local")
    monkeypatch.setenv("MUTX_HOME", str(plane.home))  # type: ignore[attr-defined]
    checks = {c["check"]: c for c in json.loads(run("doctor", "--json").stdout)}
    assert {checks[name]["health"] for name in ("home", "keys", "database", "server", "clock", "unix socket")} == {
        "healthy"
    }
    monkeypatch.setenv("MUTX_HOME", str(home))
    home.chmod(0o755)
    monkeypatch.setenv("MUTX_URL", "http://127.0.0.1:9")
    shown = run("doctor", exits=1).stdout
    assert "chmod 700" in shown
    assert "mutx up" in shown


def test_a_login_is_told_as_json_and_is_one_way_at_a_time(run: Run) -> None:
    assert json.loads(run("login", "--local", "--json").stdout)["user"] == "Local Operator"
    run("login", "--local", "--email", "bo@example.org", exits=2)


def test_tokens_are_forgotten_here_also_where_the_control_plane_is_away(run: Run, home: Path) -> None:
    run("login", "--local")
    stored = home / "credentials.json"
    stored.write_text(json.dumps({**json.loads(stored.read_text()), "url": "http://127.0.0.1:9"}))
    stored.chmod(0o600)
    done = CliRunner().invoke(cli, ["logout", "--url", "http://127.0.0.1:9"], prog_name="mutx")
    assert done.exit_code != 0
    assert "the control plane was not told" in done.output
    assert not stored.exists()
