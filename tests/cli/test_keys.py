"""Signing keys from the command line: listed, rotated while nothing runs, revoked."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mutx.cli.exits import Exit
from mutx.cli.main import cli
from mutx.services.signing import open_signer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUTX_HOME", str(tmp_path))
    keys = tmp_path / "keys"
    open_signer(keys / "receipts.pem", keys / "receipts.jwks.json", may_create=True, now=time.time())
    return tmp_path


def keys(*args: str) -> Result:
    return CliRunner().invoke(cli, ["keys", *args], prog_name="mutx")


def listed() -> list[dict[str, str]]:
    return list(json.loads(keys("list", "--json").stdout))


def test_a_rotated_key_is_retired_and_a_new_one_signs(home: Path) -> None:
    (old,) = listed()
    assert keys("rotate").exit_code == 0
    retired, fresh = listed()
    assert (retired["kid"], "retired_at" in retired) == (old["kid"], True)
    assert "retired_at" not in fresh


def test_nothing_is_rotated_under_a_running_control_plane(home: Path) -> None:
    (home / "mutx.pid").write_text(f"{os.getpid()}\n")
    refused = keys("rotate")
    assert refused.exit_code == Exit.CONFLICT
    assert "stop it first" in refused.stderr
    assert len(listed()) == 1


def test_a_file_left_by_a_killed_control_plane_does_not_count(home: Path) -> None:
    (home / "mutx.pid").write_text("999999999\n")
    assert keys("rotate").exit_code == 0


def test_a_revoked_key_says_when_and_why(home: Path) -> None:
    (key,) = listed()
    assert keys("revoke", key["kid"], "--reason", "laptop stolen").exit_code == 0
    (revoked,) = listed()
    assert revoked["reason"] == "laptop stolen"
    assert revoked["revoked_at"]
    assert keys("revoke", "mutx-unknown", "--reason", "x").exit_code == 1
    assert "mutx-" in keys("list").stdout
