"""The agent client against a server that remembers what it was sent."""

import threading
from collections.abc import Iterator

import pytest

from mutx_agent.client import MutxAgentClient
from mutx_agent.errors import DoorUnreachable
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane


@pytest.fixture
def server(plane: ScriptedPlane) -> Iterator[str]:
    plane.rest = {
        ("POST", "/v1/agents/register"): {
            "agent_id": "a-1",
            "api_key": "agent-key",
            "status": "running",
            "message": "",
        },
        ("POST", "/v1/agents/heartbeat"): {"status": "ok", "agent_id": "a-1", "timestamp": "t"},
        ("POST", "/v1/agents/metrics"): {"status": "ok", "agent_id": "a-1"},
        ("POST", "/v1/agents/logs"): {"status": "ok", "agent_id": "a-1"},
        ("GET", "/v1/agents/commands"): {"commands": [{"command_id": "c-1", "action": "reload", "parameters": {}}]},
        ("POST", "/v1/agents/commands/acknowledge"): {"status": "ok", "command_id": "c-1"},
    }
    with plane.http() as url:
        yield url


def test_a_day_in_the_life_of_an_agent(server: str, plane: ScriptedPlane) -> None:
    with MutxAgentClient(server, api_key="person-key") as client:
        with pytest.raises(LookupError, match="register"):
            client.heartbeat()
        client.register("bot", "pays", capabilities=("pay",))
        assert client.agent_id == "a-1"
        client.heartbeat(message="fine")
        client.report_metrics({"cpu_usage": 3.5}, requests_processed=2, queue=7)
        client.send_log("started", level="info")
        command = client.poll_commands(since="2027-01-01T00:00:00Z")[0]
        client.acknowledge_command(command["command_id"], result={"done": True})
    sent = {path.partition("?")[0].rpartition("/")[2]: (body, key) for _, path, body, key in plane.requests}
    assert sent["register"][1] == "Bearer person-key"
    assert {key for name, (_, key) in sent.items() if name != "register"} == {"Bearer agent-key"}
    metrics = sent["metrics"][0]
    assert metrics is not None
    assert (metrics["cpu_usage"], metrics["requests_processed"], metrics["custom"]) == (3.5, 2, {"queue": 7})
    assert metrics["uptime_seconds"] >= 0
    assert plane.requests[-2][1] == "/v1/agents/commands?agent_id=a-1&since=2027-01-01T00%3A00%3A00Z"


def test_heartbeats_go_on_over_failures_and_end_cleanly(server: str, plane: ScriptedPlane) -> None:
    healthy = plane.rest["POST", "/v1/agents/heartbeat"]
    beats = threading.Semaphore(0)

    class Counting(dict):  # type: ignore[type-arg]
        def __getitem__(self, key: tuple[str, str]) -> object:
            beats.release()
            return super().__getitem__(key)

    plane.rest = Counting(plane.rest)
    plane.rest["POST", "/v1/agents/heartbeat"] = (503, {"code": "unavailable", "message": "later"})
    client = MutxAgentClient(server, agent_id="a-1")
    client.start_heartbeat(interval=0.01)
    client.start_heartbeat(interval=0.01)
    assert all(beats.acquire(timeout=5) for _ in range(3))
    plane.rest["POST", "/v1/agents/heartbeat"] = healthy
    assert all(beats.acquire(timeout=5) for _ in range(3))
    client.stop()
    client.stop()
    assert not [t for t in threading.enumerate() if t.name == "mutx-heartbeat"]


def test_the_client_works_in_this_process_too(server: str, plane: ScriptedPlane) -> None:
    with MutxAgentClient(transport=EmbeddedTransport(server=plane)) as client:
        assert client.register("bot")["agent_id"] == "a-1"


def test_nobody_there_is_an_error_that_says_so() -> None:
    with MutxAgentClient("http://127.0.0.1:9", agent_id="a") as client, pytest.raises(DoorUnreachable):
        client.heartbeat()


def test_a_socket_alone_does_not_reach_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTX_SOCKET", "/s")
    with pytest.raises(ValueError, match="MUTX_URL"):
        MutxAgentClient()


def test_a_client_that_knows_only_a_socket_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTX_SOCKET", "/run/mutx.sock")
    with pytest.raises(ValueError, match="MUTX_URL"):
        MutxAgentClient()
