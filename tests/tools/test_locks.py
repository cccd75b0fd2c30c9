"""tools/locks.py: unpinned or unhashed entries, addresses and machine paths. The bad texts are put together here, so that this
file names none itself."""

import subprocess
from pathlib import Path

import pytest

from tools.locks import check, check_lock, check_text, committed_files, machine_paths

HASHED = "left-pad[x]==1.0 ; os_name == 'nt' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
ADDRESS = "https:" + "//files.example/left-pad.whl"
NOWHERE = machine_paths(Path("/nowhere/at-all"))


def test_a_pinned_and_hashed_lock_passes() -> None:
    assert list(check_lock("x.lock", "# made by make lock\n" + HASHED)) == []


@pytest.mark.parametrize(
    "entry",
    [
        f"left-pad @ {ADDRESS} --hash=sha256:aa",
        "--index" + f"-url {ADDRESS}",
        "-e ./agent",
        "left-pad>=1.0 --hash=sha256:aa",
    ],
)
def test_anything_but_a_pinned_name_is_found(entry: str) -> None:
    (problem,) = check_lock("x.lock", HASHED + entry + "\n")
    assert problem.startswith("x.lock: not a plain pinned requirement")


def test_a_missing_hash_is_found() -> None:
    assert list(check_lock("x.lock", "left-pad==1.0\n")) == ["x.lock: no hash: left-pad==1.0"]


@pytest.mark.parametrize(
    "text",
    [
        "py" + "pi.org",
        "https:" + "//registry.npm" + "js.org/left-pad",
        "https:" + "//art" + "ifactory.example.com/api",
        "pip install --extra-index" + "-url somewhere",
    ],
)
def test_a_registry_is_found(text: str) -> None:
    (problem,) = check_text("README.md", f"one\nsee {text}\n", NOWHERE)
    assert problem.startswith("README.md:2: names a package registry")


@pytest.mark.parametrize("text", ["published on PyPI", "--no-emit-index-url", "https://example.com/simple"])
def test_speaking_about_registries_is_fine(text: str) -> None:
    assert list(check_text("README.md", text, NOWHERE)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cd /nowhere/at-all/src", True),
        ("see '/nowhere/other'", True),
        ("docs/nowhere/at-all", False),
        ("/nowhere-else", False),
        ("$HOME/nowhere", False),
    ],
)
def test_a_path_of_this_machine_is_found(text: str, found: bool) -> None:
    assert bool(list(check_text("README.md", text, NOWHERE))) is found


def test_only_what_git_would_commit_is_read(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    (tmp_path / "ignored.txt").write_text(str(tmp_path))
    (tmp_path / "new.txt").write_text(f"in {tmp_path}\n")
    (tmp_path / "image.bin").write_bytes(b"\xff\xfe")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/x.lock").write_text("left-pad==1.0\n")
    paths = committed_files(tmp_path)
    assert paths == [".gitignore", "image.bin", "new.txt", "requirements/x.lock"]
    assert check(tmp_path, paths) == [
        f"new.txt:1: names a path of this machine: {tmp_path}",
        "requirements/x.lock: no hash: left-pad==1.0",
    ]
