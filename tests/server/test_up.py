"""`mutx up`, as a process."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

UP = [sys.executable, "-c", "from mutx.server.up import main; main()"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    return {**os.environ, "MUTX_HOME": str(home), "PORT": str(port), "HOST": "127.0.0.1"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """A running process, its address and its home."""
    home, port = tmp_path / "home", free_port()
    process = subprocess.Popen(
        UP, env=environment(home, port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"MUTX listens on http://127.0.0.1:{port} ")
    yield process, f"http://127.0.0.1:{port}", home
    process.kill()
    process.wait()
    process.stdout.close()


def test_one_command_gives_a_control_plane(server: tuple[subprocess.Popen[str], str, Path]) -> None:
    process, url, home = server
    assert httpx2.get(f"{url}/ready").json()["status"] == "ready"
    tokens = httpx2.post(f"{url}/v1/auth/local-bootstrap", json={}).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert httpx2.get(f"{url}/v1/auth/me", headers=bearer).json()["email"] == "local-operator@mutx.local"
    where = json.loads((home / "client.json").read_text())
    assert where["url"] == url
    assert Path(where["socket"]).is_socket()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(key.stat().st_mode) & 0o077 == 0 for key in (home / "keys").glob("*.key"))
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    assert not (home / "client.json").exists()
    assert not (home / "mutx.pid").exists()


def test_a_killed_server_starts_again_and_knows_its_people(server: tuple[subprocess.Popen[str], str, Path]) -> None:
    process, url, home = server
    tokens = httpx2.post(f"{url}/v1/auth/local-bootstrap", json={}).json()
    process.kill()
    process.wait()
    port = int(url.rpartition(":")[2])
    again = subprocess.Popen(
        UP, env=environment(home, port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=home.parent
    )
    assert again.stdout is not None
    with again.stdout:
        assert again.stdout.readline()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert httpx2.get(f"{url}/v1/auth/me", headers=bearer).status_code == 200
        again.kill()
        again.wait()


@pytest.mark.timeout(300)
def test_what_is_taken_is_said(server: tuple[subprocess.Popen[str], str, Path]) -> None:
    _, url, home = server
    taken = int(url.rpartition(":")[2])
    same_port = subprocess.run(
        UP, env=environment(home.parent / "other", taken), capture_output=True, text=True, cwd=home.parent, check=False
    )
    assert same_port.returncode != 0
    assert f"port {taken} on 127.0.0.1 is in use" in same_port.stderr
    same_home = subprocess.run(
        UP, env=environment(home, free_port()), capture_output=True, text=True, cwd=home.parent, check=False
    )
    assert same_home.returncode != 0
    assert "SetupError" in same_home.stderr
