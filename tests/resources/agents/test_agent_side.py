"""Stories of an agent with a key of its own."""

from tests.server.plane import Person, Plane


async def registered(plane: Plane, person: Person, name: str = "scout") -> tuple[str, str]:
    answer = await person.http.post("/v1/agents/register", json={"name": name, "capabilities": ["search"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["agent_id"], answer.json()["api_key"]


async def test_an_agent_reports_under_its_own_key(plane: Plane) -> None:
    ana = await plane.register()
    agent, key = await registered(plane, ana)
    assert key.startswith("mutx_agent_")
    http = plane.client(key)
    plane.clock.advance(30)
    beat = await http.post("/v1/agents/heartbeat", json={"agent_id": agent, "timestamp": "now", "hostname": "box"})
    assert beat.json()["status"] == "ok"
    await http.post("/v1/agents/metrics", json={"agent_id": agent, "cpu_usage": 12.5, "timestamp": "now"})
    await http.post(
        "/v1/agents/logs", json={"agent_id": agent, "level": "error", "message": "ouch", "metadata": {"a": 1}}
    )
    status = (await ana.http.get(f"/v1/agents/{agent}/status")).json()
    assert (status["status"], status["uptime_seconds"]) == ("running", 30.0)
    (metric,) = (await ana.http.get(f"/v1/agents/{agent}/metrics")).json()["items"]
    assert (metric["cpu_usage"], metric["agent_id"]) == (12.5, agent)
    (entry,) = (await ana.http.get(f"/v1/agents/{agent}/logs", params={"level": "error"})).json()["items"]
    assert (entry["message"], entry["extra_data"]) == ("ouch", '{"a": 1}')
    assert (await ana.http.get(f"/v1/agents/{agent}/logs", params={"level": "info"})).json()["items"] == []


async def test_an_agent_that_stops_has_no_uptime(plane: Plane) -> None:
    ana = await plane.register()
    agent, key = await registered(plane, ana)
    plane.clock.advance(5)
    await plane.client(key).post("/v1/agents/heartbeat", json={"agent_id": agent, "status": "stopped"})
    status = (await ana.http.get(f"/v1/agents/{agent}/status")).json()
    assert (status["status"], status["uptime_seconds"]) == ("stopped", 0.0)


async def test_an_agents_key_acts_for_that_agent_only(plane: Plane) -> None:
    ana = await plane.register()
    mine, key = await registered(plane, ana)
    other, _ = await registered(plane, ana, "other")
    http = plane.client(key)
    assert (await http.post("/v1/agents/heartbeat", json={"agent_id": other})).status_code == 404
    assert (await http.get(f"/v1/agents/{other}")).status_code == 404
    assert [agent["id"] for agent in (await http.get("/v1/agents")).json()["items"]] == [mine]


async def test_an_agents_key_changes_nothing_and_makes_nothing(plane: Plane) -> None:
    ana = await plane.register()
    agent, key = await registered(plane, ana)
    http = plane.client(key)
    refused = [
        await http.post("/v1/agents", json={"name": "another"}),
        await http.post("/v1/agents/register", json={"name": "another"}),
        await http.delete(f"/v1/agents/{agent}"),
        await http.patch(f"/v1/agents/{agent}/config", json={"config": {"image": "x"}}),
        await http.post("/v1/api-keys", json={"name": "more"}),
        await http.get("/v1/api-keys"),
        await http.get("/v1/workspaces"),
    ]
    assert {answer.status_code for answer in refused} == {403}


async def test_deleting_an_agent_ends_its_key_at_once(plane: Plane) -> None:
    ana = await plane.register()
    agent, key = await registered(plane, ana)
    http = plane.client(key)
    assert (await http.get("/v1/agents")).status_code == 200
    await ana.http.delete(f"/v1/agents/{agent}")
    assert (await http.get("/v1/agents")).status_code == 401


async def test_an_agents_key_can_be_rotated_by_its_owner(plane: Plane) -> None:
    ana = await plane.register()
    _, key = await registered(plane, ana)
    (listed,) = (await ana.http.get("/v1/api-keys")).json()["items"]
    assert listed["kind"] == "agent"
    fresh = (await ana.http.post(f"/v1/api-keys/{listed['id']}/rotate")).json()["key"]
    assert fresh.startswith("mutx_agent_")
    assert (await plane.client(key).get("/v1/agents")).status_code == 401
    assert (await plane.client(fresh).get("/v1/agents")).status_code == 200
