"""Who may have programs run on the control plane's machine."""

from pathlib import Path

from sqlalchemy import text

from tests.resources.supervision.desk import AT, Desk, client, desk

PASSWORD = "correct horse battery"


async def registered(here: Desk, email: str, *, verified: bool) -> str:
    account = {"email": email, "name": "N", "password": PASSWORD}
    answer = (await here.http.post("/v1/auth/register", json=account)).json()
    if verified:
        async with here.plane.services.database.write() as session:
            await session.execute(text("UPDATE users SET is_email_verified = true WHERE email = :e"), {"e": email})
    return str(answer["access_token"])


async def test_verified_people_of_the_installation_and_nobody_else(tmp_path: Path) -> None:
    async with desk(tmp_path, internal_user_email_domains="corp.example, Other.example") as here:
        people = {
            "ana@corp.example": (True, 200),
            "bob@other.example": (True, 200),
            "eve@corp.example": (False, 403),
            "mal@notcorp.example": (True, 403),
            "cat@corp.example.org": (True, 403),
        }
        for email, (verified, expected) in people.items():
            async with client(here.plane, await registered(here, email, verified=verified)) as http:
                for path in ("", "/status", "/profiles"):
                    assert (await http.get(AT + path)).status_code == expected, email
                agent = (await http.post("/v1/agents/register", json={"name": "x"})).json()
                start = {"agent_id": agent["agent_id"], "profile": "finishes"}
                assert (await http.post(f"{AT}/start", json=start)).status_code == expected, email
                key = (await http.post("/v1/api-keys", json={"name": "k"})).json()["key"]
                async with client(here.plane, key) as machine:
                    assert (await machine.get(AT)).status_code == expected, "a key is as good as its owner"
                async with client(here.plane, agent["api_key"]) as itself:
                    assert (await itself.post(f"{AT}/start", json=start)).status_code == 403
                assert (await http.post(f"{AT}/{agent['agent_id']}/kill")).status_code == 200, "one's own agent, always"


async def test_what_may_not_be_started_is_said(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        agent = await here.agent()
        for body, says in (
            ({"command": ["sh"]}, "launch profiles only"),
            ({"profile": "nope"}, "no launch profile"),
            ({"profile": "waits", "env": {"LD_PRELOAD": "x"}}, "env may not set 'LD_PRELOAD'"),
            ({"profile": "waits", "faramesh_policy": "x.fpl"}, "mutx policies apply"),
        ):
            answer = await here.http.post(f"{AT}/start", json={"agent_id": agent, **body})
            assert (answer.status_code, answer.json()["code"]) == (422, "supervision_invalid")
            assert says in answer.json()["message"]
        assert (await here.http.get(f"{AT}/{agent}")).status_code == 404
        await here.start(agent, "waits")
        again = await here.http.post(f"{AT}/start", json={"agent_id": agent, "profile": "waits"})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
