"""Stories of agents, as people see them."""

import httpx2
import pytest

from mutx.resources.agents.commands import end_overdue
from tests.server.plane import Plane


async def test_an_agents_life(plane: Plane) -> None:
    ana = await plane.register()
    made = await ana.http.post("/v1/agents", json={"name": "scout", "type": "anthropic", "config": {"max_tokens": 9}})
    assert made.status_code == 201
    agent = made.json()
    assert (agent["status"], agent["config_version"], agent["user_id"]) == ("creating", 1, ana.me["id"])
    assert agent["config"]["model"] == "claude-3-5-sonnet-20240620"
    assert agent["config"]["max_tokens"] == 9
    assert (await ana.http.get(f"/v1/agents/{agent['id']}")).json() == agent
    page = (await ana.http.get("/v1/agents")).json()
    assert (page["items"], page["total"], page["has_more"]) == ([agent], 1, False)
    assert (await ana.http.delete(f"/v1/agents/{agent['id']}")).status_code == 204
    assert (await ana.http.get(f"/v1/agents/{agent['id']}")).status_code == 404


async def test_each_change_of_the_configuration_is_a_version(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "scout", "config": '{"temperature": 0.1}'})).json()
    url = f"/v1/agents/{agent['id']}"
    patched = await ana.http.patch(
        f"{url}/config", json={"config": {"model": "gpt-5", "temperature": None, "tag": "x"}}
    )
    config = patched.json()
    assert config["config_version"] == config["config"]["version"] == 2
    assert (config["config"]["model"], config["config"]["temperature"], config["config"]["tag"]) == ("gpt-5", 0.7, "x")
    assert (await ana.http.get(f"{url}/config")).json() == config
    versions = (await ana.http.get(f"{url}/versions")).json()
    assert [v["version"] for v in versions["items"]] == [2, 1]
    assert '"temperature": 0.1' in versions["items"][1]["config_snapshot"]


async def test_a_type_that_needs_values_waits_for_its_configuration(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "box", "type": "custom"})).json()
    assert agent["config"] is None
    assert (await ana.http.get(f"/v1/agents/{agent['id']}/config")).status_code == 404
    first = await ana.http.patch(f"/v1/agents/{agent['id']}/config", json={"config": {"image": "box:1"}})
    assert (first.json()["config_version"], first.json()["config"]["image"]) == (1, "box:1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a", "type": "cobol"}, "type"),
        ({"name": "a", "surprise": 1}, "surprise"),
        ({"name": "a", "config": {"temperature": 9}}, "config.temperature"),
        ({"name": "a", "config": "[1]"}, "object"),
        ({"name": "a", "type": "custom", "config": {}}, "config.image"),
    ],
)
async def test_bad_agents_are_refused_with_the_field_named(plane: Plane, body: dict, says: str) -> None:
    ana = await plane.register()
    answer = await ana.http.post("/v1/agents", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert says in answer.json()["message"]


async def test_commands_wait_until_they_are_acknowledged(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    first = (await ana.http.post(f"/v1/agents/{agent}/commands", json={"action": "reload"})).json()
    plane.clock.advance(1)
    await ana.http.post(f"/v1/agents/{agent}/commands", json={"action": "pause", "parameters": {"seconds": 3}})

    async def waiting(**since: str) -> list[str]:
        answer = await ana.http.get("/v1/agents/commands", params={"agent_id": agent, **since})
        return [command["action"] for command in answer.json()["commands"]]

    assert await waiting() == ["reload", "pause"]
    assert await waiting(since=first["received_at"]) == ["pause"]
    report = {"command_id": first["command_id"], "agent_id": agent, "success": True, "completed_at": "now"}
    for _ in range(2):  # a repeated acknowledgement answers alike
        done = await ana.http.post("/v1/agents/commands/acknowledge", json=report)
        assert done.json() == {"status": "succeeded", "command_id": first["command_id"]}
    other = await ana.http.post("/v1/agents/commands/acknowledge", json={**report, "success": False})
    assert other.status_code == 409
    assert await waiting() == ["pause"]


async def test_a_command_that_nobody_acknowledges_in_time_is_over(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    tasks = plane.app.state.tasks

    async def send(**wanted: object) -> dict[str, str]:
        return (await ana.http.post(f"/v1/agents/{agent}/commands", json={"action": "reload", **wanted})).json()

    async def acknowledge(command: dict[str, str]) -> httpx2.Response:
        report = {"command_id": command["command_id"], "agent_id": agent, "success": True}
        return await ana.http.post("/v1/agents/commands/acknowledge", json=report)

    short, long = await send(timeout_seconds=60), await send()
    plane.clock.advance(60)
    handed_out = (await ana.http.get("/v1/agents/commands", params={"agent_id": agent})).json()["commands"]
    assert [command["command_id"] for command in handed_out] == [long["command_id"]]
    for _ in range(2):  # before and after it is swept
        late = await acknowledge(short)
        assert late.status_code == 409
        assert "timeout_seconds" in late.json()["message"]
        for _ in range(2):  # two replicas: each command counts once
            await end_overdue(plane.services.database, plane.clock, tasks)
    assert (await acknowledge(long)).json()["status"] == "succeeded"
    counted = plane.services.registry.get_sample_value
    assert [counted("mutx_agent_tasks_total", {"status": status}) for status in ("success", "timeout")] == [1.0, 1.0]
    refused = await ana.http.post(f"/v1/agents/{agent}/commands", json={"action": "stop", "timeout_seconds": 0})
    assert refused.status_code == 422


async def test_another_workspaces_agent_is_not_found(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    url = f"/v1/agents/{agent}"
    command = (await ana.http.post(f"{url}/commands", json={"action": "reload"})).json()["command_id"]
    answers = [
        *[await bob.http.get(url + path) for path in ("", "/config", "/status", "/versions", "/metrics", "/logs")],
        await bob.http.delete(url),
        await bob.http.patch(f"{url}/config", json={"config": {}}),
        await bob.http.post(f"{url}/commands", json={"action": "stop"}),
        await bob.http.post("/v1/agents/heartbeat", json={"agent_id": agent}),
        await bob.http.post("/v1/agents/metrics", json={"agent_id": agent}),
        await bob.http.post("/v1/agents/logs", json={"agent_id": agent, "message": "hi"}),
        await bob.http.get("/v1/agents/commands", params={"agent_id": agent}),
        await bob.http.post(
            "/v1/agents/commands/acknowledge", json={"agent_id": agent, "command_id": command, "success": True}
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["message"] for answer in answers} == {f"no agent {agent}"}
    assert (await bob.http.get("/v1/agents")).json()["items"] == []


async def test_moments_at_the_ends_of_the_calendar_are_moments(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    for since in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        answer = await ana.http.get("/v1/agents/commands", params={"agent_id": agent, "since": since})
        assert answer.status_code in (200, 422), answer.text
