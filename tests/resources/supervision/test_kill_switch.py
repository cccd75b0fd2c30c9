"""An agent that is killed does nothing any more, whichever way it comes and whatever it holds already."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from mutx.kit.errors import PermitRefused
from tests.resources.supervision.desk import AT, all_gone, client, desk, eventually

POLICY = """
name: house
rules:
  - {id: reads, match: {tool: "read*"}, effect: allow}
  - {id: pay, match: {tool: pay}, effect: step_up}
"""


async def over_socket(path: Path, **request: Any) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(json.dumps(request).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    return dict(answer)


def call(agent: str, tool: str) -> dict[str, Any]:
    return {"tool_name": tool, "agent_id": agent, "session_id": "s", "tool_args": {"n": 1}}


async def decided(http: Any, agent: str, tool: str) -> dict[str, Any]:
    answer = await http.post("/v1/governance/decide", json=call(agent, tool))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_killed_agent_ends_and_is_denied_at_every_door(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        assert (await here.http.post("/v1/policies", json={"name": "house", "document": POLICY})).is_success
        made = (await here.http.post("/v1/agents/register", json={"name": "clerk"})).json()
        agent, other = made["agent_id"], await here.agent("other")
        begun = await here.start(agent, "stubborn")
        await here.until_said(agent, "ready")
        socket = here.plane.settings.socket
        async with client(here.plane, made["api_key"]) as itself:
            before = await decided(itself, agent, "read")
            waiting = await decided(itself, agent, "pay")
            assert before["effect"] == "allow"
            killed = await here.do(agent, "kill", reason="it went astray")
            assert killed["reason"] == "it went astray"
            assert await here.do(agent, "kill") == killed, "once is enough"

            await all_gone([begun["pid"], *here.noted("stubborn", "family")])
            stopped = await here.until(agent, state="stopped")
            assert (stopped["killed"], stopped["healthy"]) == (True, True)

            denied = await decided(itself, agent, "read")
            assert (denied["effect"], denied["reason_code"]) == ("deny", "not_permitted")
            assert "kill-switch" in denied["reason"]
            asked = await decided(here.http, agent, "read")
            assert asked["effect"] == "deny", "also when its operator asks in its name"
            locally = await over_socket(socket, id=1, verb="decide", body=call(agent, "read"))
            assert locally["ok"]["effect"] == "deny"
            spent = await itself.post("/v1/governance/redeem", json={"permit": before["permit"], "tool_args": {"n": 1}})
            assert (spent.status_code, spent.json()["code"]) == (409, PermitRefused.code)

            answered = {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}
            released = (await here.http.post("/v1/governance/resolve", json=answered)).json()
            assert (released["effect"], released["reason_code"]) == ("deny", "not_permitted")
            assert (await decided(here.http, other, "read"))["effect"] == "allow"

            refused = await here.http.post(f"{AT}/start", json={"agent_id": agent, "profile": "waits"})
            assert refused.status_code == 409
            assert (await here.http.post(f"{AT}/{agent}/restart")).status_code == 409
            listed = (await here.http.get(f"{AT}/kills")).json()
            assert [one["agent_id"] for one in listed["items"]] == [agent]

            await here.do(agent, "revive")
            await here.do(agent, "revive")
            assert (await decided(itself, agent, "read"))["effect"] == "allow"
            assert (await over_socket(socket, id=1, verb="decide", body=call(agent, "read")))["ok"]["effect"] == "allow"
            assert (await here.status(agent))["state"] == "stopped", "to be revived is not to be started"


async def test_a_kill_outlives_its_agent(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        agent = await here.agent()
        await here.do(agent, "kill")
        assert (await here.http.delete(f"/v1/agents/{agent}")).status_code == 204
        assert (await decided(here.http, agent, "read"))["reason_code"] == "not_permitted"
        await here.do(agent, "revive")
        assert (await decided(here.http, agent, "read"))["reason_code"] != "not_permitted"
        assert (await here.http.post(f"{AT}/{agent}/kill")).status_code == 404


async def test_a_killed_agent_gets_no_time_to_tidy_up(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        agent = await here.agent()
        begun = await here.start(agent, "tidies")
        await here.until_said(agent, f"ready {begun['pid']}")
        await here.do(agent, "kill")
        assert (await here.until(agent, state="stopped"))["last_exit_code"] == -signal.SIGKILL
        assert here.noted("tidies", "tidied") == []
        await here.do(agent, "revive")
        begun = await here.start(agent, "tidies")
        await here.until_said(agent, f"ready {begun['pid']}")
        await here.do(agent, "stop", timeout=30)
        assert len(here.noted("tidies", "tidied")) == 1


@pytest.mark.parametrize("profile", ["stubborn"])
async def test_a_kill_does_not_wait_for_a_slow_stop(tmp_path: Path, profile: str) -> None:
    async with desk(tmp_path) as here:
        agent = await here.agent()
        begun = await here.start(agent, profile)
        await here.until_said(agent, "ready")
        stopping = asyncio.create_task(here.do(agent, "stop", timeout=300))
        await here.until(agent, state="stopping")
        await here.do(agent, "kill")
        await all_gone([begun["pid"]])
        assert (await stopping)["state"] == "stopped"


async def test_who_it_was_and_why_stands_in_the_audit_log(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        agent = await here.agent()
        await here.start(agent, "waits")
        await here.do(agent, "kill", reason="drill")
        await here.do(agent, "revive")

        async def told() -> bool:
            events = (await here.http.get("/v1/audit/events", params={"agent_id": agent, "limit": 100})).json()
            return wanted <= {event["event_type"] for event in events["events"]}

        wanted = {"SUPERVISION_STARTED", "AGENT_START", "AGENT_KILLED", "AGENT_END", "AGENT_REVIVED"}
        await eventually(told)
