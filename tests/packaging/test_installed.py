"""`pip install` of both wheels and the locked dependencies into an empty environment; then `mutx up` and a governed call."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.packaging.conftest import ROOT, Environment, Wheels, empty_environment


@pytest.fixture
def installed(wheels: Wheels, tmp_path: Path) -> Environment:
    environment = empty_environment(tmp_path / "venv")
    environment.install("--require-hashes", "-r", ROOT / "requirements" / "runtime.lock")
    environment.install("--no-index", wheels.agent, wheels.mutx)  # --no-index: the locks must hold every dependency
    return environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def variables(home: Path, **more: str) -> dict[str, str]:
    """No variable of this process but PATH: an empty machine has none."""
    return {"PATH": os.environ["PATH"], "HOME": str(home.parent), "MUTX_HOME": str(home), **more}


@pytest.fixture
def server(installed: Environment, home: Path) -> Iterator[subprocess.Popen[str]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    process = subprocess.Popen(
        [installed.folder / "bin" / "mutx", "up", "--port", port],
        env=variables(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home.parent,
    )
    yield process
    process.kill()
    process.communicate()


def help_names_the_commands(installed: Environment, home: Path) -> None:
    shown = subprocess.run(
        [installed.folder / "bin" / "mutx", "--help"], check=True, capture_output=True, text=True, env=variables(home)
    )
    assert {"up", "demo", "approvals", "receipts", "policies"} <= set(shown.stdout.split())


GOVERNED = """
from mutx_agent import ActionDenied, govern

@govern
def add(a, b):
    return a + b

@govern
def shell(command):
    raise AssertionError("ran")

print(add(1, 2))
try:
    shell("rm -rf /")
except ActionDenied as denied:
    print(denied.reason)
"""

POLICY = {
    "name": "house",
    "document": "name: house\nrules:\n  - {id: sums, match: {tool: add}, effect: allow}\n"
    "  - {id: shell, match: {tool: shell}, effect: deny, reason: no shells}\n",
}


@pytest.fixture
def operator(server: subprocess.Popen[str]) -> Iterator[httpx2.Client]:
    """The local operator, signed in at the address that the server printed once it was ready."""
    assert server.stdout is not None
    url = server.stdout.readline().split()[3]
    with httpx2.Client(base_url=url) as client:
        assert client.get("/ready").json()["status"] == "ready"
        token = client.post("/v1/auth/local-bootstrap", json={}).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def up_governs_calls_and_stops_when_asked(
    installed: Environment, home: Path, server: subprocess.Popen[str], operator: httpx2.Client
) -> None:
    operator.post("/v1/policies", json=POLICY).raise_for_status()
    bot = operator.post("/v1/agents/register", json={"name": "bot"}).json()
    over_http = {
        "MUTX_URL": str(operator.base_url),
        "MUTX_API_KEY": bot["api_key"],
        "MUTX_AGENT_ID": bot["agent_id"],
    }
    for door in ({}, over_http):  # without settings: the socket that the client file in the home directory names
        agent = variables(home, MUTX_SESSION_ID="s", **door)
        ran = subprocess.run([installed.python, "-c", GOVERNED], check=True, capture_output=True, text=True, env=agent)
        assert ran.stdout.splitlines() == ["3", "no shells"]
    receipts = operator.get("/v1/security/receipts/session/s").json()["receipts"]
    assert [(r["kind"], r["effect"]) for r in receipts] == RECEIPTS * 2
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert not (home / "client.json").exists()


RECEIPTS = [("decision", "allow"), ("outcome", "allow"), ("decision", "deny")]

EMBEDDED = """
from mutx.server.embedded import create

with create() as plane:
    print(plane.call("decide", {"tool_name": "add", "agent_id": "bot", "session_id": "s"})["ok"]["reason_code"])
"""


def the_control_plane_also_lives_inside_a_program(installed: Environment, home: Path) -> None:
    ran = subprocess.run(
        [installed.python, "-c", EMBEDDED], check=True, capture_output=True, text=True, env=variables(home)
    )
    assert ran.stdout.strip() == "rule"


@pytest.mark.timeout(300)  # the installation may have to download
def test_installed_into_an_empty_environment(
    installed: Environment, home: Path, server: subprocess.Popen[str], operator: httpx2.Client
) -> None:
    """One test, because the installation is what takes its time."""
    help_names_the_commands(installed, home)
    up_governs_calls_and_stops_when_asked(installed, home, server, operator)
    the_control_plane_also_lives_inside_a_program(installed, home)
