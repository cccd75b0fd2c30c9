"""What may be started: only what is named, in the form it was named."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mutx.kit.errors import SupervisionValidationError
from mutx.services.faramesh_supervisor.config import LaunchProfile, SupervisionConfig
from mutx.services.faramesh_supervisor.launching import launch_of
from mutx.services.faramesh_supervisor.supervisor import About
from mutx.services.faramesh_supervisor.validation import Runnable, check, normalize_command, policy_file

PROFILE = LaunchProfile(
    name="clerk", command=("clerk", "--quiet"), env={"MODE": "night"}, env_keys=("REGION",), cwd="/srv"
)
ABOUT = About(launch_id="l", workspace_id="w", agent_id="a", user_id="u")


def config(**given: Any) -> SupervisionConfig:
    return SupervisionConfig(socket_path=Path("/run/f.sock"), mutx_socket=Path("/run/m.sock"), **given)


DIRECT = config(allow_direct_commands=True, allowed_commands=("true",), allowed_env_keys=("REGION",))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([], "at least one executable"),
        (["a"] * 65, "at most 64"),
        ([1], "must be strings"),
        (["a", "  "], "must not be empty"),
        (["a", "b" * 4097], "4096"),
        (["a", "b\0"], "NUL"),
    ],
)
def test_a_command_is_a_list_of_words(command: list[Any], says: str) -> None:
    with pytest.raises(SupervisionValidationError, match=says):
        normalize_command(command)


def test_a_profile_brings_its_command_and_takes_only_the_keys_it_names() -> None:
    known = config(profiles={"clerk": PROFILE})
    runnable = check(known, [], "clerk", {"REGION": "north"}, None)
    assert runnable.command == ("clerk", "--quiet")
    assert dict(runnable.env) == {"MODE": "night", "REGION": "north"}
    assert runnable.cwd == "/srv"
    assert check(known, ["clerk", "--quiet"], "clerk", {}, None).command == PROFILE.command
    for wanted in ({"PATH": "/tmp"}, {"MUTX_AGENT_ID": "x"}, {"MODE": "day"}, {"A=B": "c"}):
        with pytest.raises(SupervisionValidationError, match="env may not set"):
            check(known, [], "clerk", wanted, None)
    with pytest.raises(SupervisionValidationError, match="its own command"):
        check(known, ["sh"], "clerk", {}, None)
    with pytest.raises(SupervisionValidationError, match="no launch profile 'cook'"):
        check(known, [], "cook", {}, None)
    with pytest.raises(SupervisionValidationError, match="profiles only"):
        check(known, ["clerk"], None, {}, None)


def test_a_direct_command_is_an_executable_by_its_name(tmp_path: Path) -> None:
    where = shutil.which("true")
    assert where is not None
    assert check(DIRECT, ["true", "x"], None, {"REGION": "n"}, None).command == (where, "x")
    assert check(DIRECT, [where], None, {}, None).command == (where,)
    (tmp_path / "true").write_text("#!/bin/sh\n")
    for other in (str(tmp_path / "true"), "sh", "/bin/sh", "missing"):
        with pytest.raises(SupervisionValidationError):
            check(DIRECT, [other], None, {}, None)
    gone = config(allow_direct_commands=True, allowed_commands=("no-such-program",))
    with pytest.raises(SupervisionValidationError, match="no-such-program"):
        check(gone, ["no-such-program"], None, {}, None)


def test_an_environment_is_bounded() -> None:
    many = config(
        allow_direct_commands=True, allowed_commands=("true",), allowed_env_keys=tuple(f"K{n}" for n in range(99))
    )
    with pytest.raises(SupervisionValidationError, match="at most 64 entries"):
        check(many, ["true"], None, {f"K{n}": "" for n in range(65)}, None)
    for value in ("x" * 8193, "a\0b"):
        with pytest.raises(SupervisionValidationError, match="value of K1"):
            check(many, ["true"], None, {"K1": value}, None)


def test_a_policy_file_lies_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "shop.fpl").write_text("permit read/*")
    (folder / "notes.txt").write_text("")
    (tmp_path / "other.fpl").write_text("permit *")
    (folder / "way-out.fpl").symlink_to(tmp_path / "other.fpl")
    (folder / "big.fpl").write_bytes(b"x" * 1_000_001)
    known = config(faramesh_bin="/opt/faramesh", allowed_policy_dir=folder)
    assert policy_file(known, "shop.fpl") == folder / "shop.fpl"
    for name in (
        "../other.fpl",
        "way-out.fpl",
        "notes.txt",
        "missing.fpl",
        "big.fpl",
        ".",
        "a\0.fpl",
        "n" * 300 + ".fpl",
    ):
        with pytest.raises(SupervisionValidationError, match="of the policy folder"):
            policy_file(known, name)
    with pytest.raises(SupervisionValidationError, match="SUPERVISION_POLICY_DIR"):
        policy_file(config(faramesh_bin="/opt/faramesh"), "shop.fpl")
    with pytest.raises(SupervisionValidationError, match="mutx policies apply"):
        check(config(profiles={"clerk": PROFILE}), [], "clerk", {}, "shop.fpl")


def test_what_a_child_gets_is_little_and_says_who_it_is() -> None:
    runnable = Runnable(command=("clerk",), env={"REGION": "n"}, profile=None, policy=None, cwd=None)
    ours = {"PATH": "/bin", "DATABASE_URL": "postgresql://u:p@h/d", "SECRET_ENCRYPTION_KEY": "k"}
    launch = launch_of(config(), runnable, ABOUT, ours)
    assert launch.env == {
        "PATH": "/bin",
        "REGION": "n",
        "MUTX_SOCKET": "/run/m.sock",
        "MUTX_AGENT_ID": "a",
        "FARAMESH_SOCKET": "/run/f.sock",
        "FARAMESH_AGENT_ID": "a",
        "FARAMESH_AUTOLOAD": "1",
    }
    assert launch.command == ("clerk",)


def test_a_prefix_and_a_faramesh_stand_before_the_command(tmp_path: Path) -> None:
    (tmp_path / "shop.fpl").write_text("")
    runnable = Runnable(command=("clerk",), env={"REGION": "n"}, profile=None, policy="shop.fpl", cwd=None)
    both = config(
        faramesh_bin="/opt/faramesh",
        allowed_policy_dir=tmp_path,
        launch_prefix=("run", "--agent", "{agent_id}", "{env}", "--"),
    )
    launch = launch_of(both, runnable, ABOUT, os.environ)
    policy = ("--policy", str(tmp_path / "shop.fpl"))
    wrapped = ("/opt/faramesh", "run", "--agent-id", "a", *policy, "--", "clerk")
    assert launch.command == ("run", "--agent", "a", "--env", "REGION", "--", *wrapped)
    assert "FARAMESH_AUTOLOAD" not in launch.env
    plain = Runnable(command=("clerk",), env={}, profile=None, policy=None, cwd=None)
    assert "--policy" not in launch_of(both, plain, ABOUT, {}).command
