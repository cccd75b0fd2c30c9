"""The edge's limits: before anybody is known, and after."""

from pathlib import Path
from typing import Any

import pytest

from mutx.governance.types import Caller
from mutx.kit.errors import SetupError
from mutx.server.doors.http import HotRoute
from mutx.server.middleware.client_address import NOBODY, ClientAddress, networks
from mutx.server.settings import Settings, read_settings
from tests.server.plane import running


async def test_what_does_not_authenticate_is_charged_to_its_address(tmp_path: Path) -> None:
    async with running(tmp_path / "home", rate_limit_requests=3) as plane:
        guesses = [await plane.client(f"mutx_live_guess{n}").get("/v1/agents") for n in range(4)]
        assert [answer.status_code for answer in guesses] == [401, 401, 401, 429]
        refused = guesses[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 0 < int(refused.headers["retry-after"]) <= 20
        assert (await plane.client(address="203.0.113.9").get("/v1/agents")).status_code == 401
        plane.clock.advance(int(refused.headers["retry-after"]))
        assert (await plane.client("mutx_live_other").get("/v1/agents")).status_code == 401
        text = (await plane.client().get("/metrics")).text
        assert 'mutx_edge_rate_limited_total{limit="general"} 1.0' in text


async def test_one_bad_credential_is_limited_wherever_it_comes_from(tmp_path: Path) -> None:
    async with running(tmp_path / "home", rate_limit_requests=2) as plane:
        near = [plane.client("mutx_live_stolen", address=f"203.0.113.{n}") for n in range(3)]
        assert [(await http.get("/v1/agents")).status_code for http in near] == [401, 401, 429]


async def test_people_behind_one_address_do_not_spend_it(tmp_path: Path) -> None:
    async with running(tmp_path / "home", rate_limit_requests=4) as plane:
        people = [await plane.register(f"p{n}@example.org", f"P{n}") for n in range(4)]
        for person in people:
            statuses = [(await person.http.get("/v1/agents")).status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
        # verified anew, each pays and gets it back
        plane.clock.advance(60)
        plane.services.auth.callers.revoke()
        assert {(await person.http.get("/v1/agents")).status_code for person in people} == {200}
        stranger = await plane.client().get("/v1/agents")
        assert (stranger.status_code, stranger.headers["ratelimit-remaining"]) == (401, "3")


async def test_answers_say_what_is_left(tmp_path: Path) -> None:
    async with running(tmp_path / "home", rate_limit_requests=6, auth_rate_limit_requests=2) as plane:
        ana = await plane.register()  # which asked for /v1/auth/me
        answer = await ana.http.get("/v1/agents")
        assert [answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset", "policy")] == [
            "6",
            "4",
            "20",
            "6;w=60",
        ]
        assert len(answer.headers.get_list("ratelimit-limit")) == 1
        tried = await plane.client().post("/v1/auth/login", json={"email": "a@example.org", "password": "x"})
        assert (tried.headers["ratelimit-policy"], tried.headers["ratelimit-remaining"]) == ("2;w=60", "0")
        assert "ratelimit-limit" not in (await plane.client().get("/health")).headers


async def test_hot_answers_say_it_too(tmp_path: Path) -> None:
    async def run(verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        return {}

    doors = {"/v1/governance/decide": HotRoute("decide", run)}
    async with running(tmp_path / "home", doors=doors, governance_rate_limit_requests=3) as plane:
        ana = await plane.register()
        left = []
        for more in ({}, {"x-request-id": "the-full-way"}, {}):
            answer = await ana.http.post("/v1/governance/decide", json={}, headers=more)
            left.append(answer.headers["ratelimit-remaining"])
        assert left == ["2", "1", "0"]
        refused = await ana.http.post("/v1/governance/decide", json={})
        assert (refused.status_code, refused.headers["ratelimit-policy"]) == (429, "3;w=60")
        wrong = [await plane.client("mutx_live_x").post("/v1/governance/decide", json={}) for _ in range(4)]
        assert [answer.status_code for answer in wrong] == [401, 401, 401, 429]


def test_the_limits_are_those_of_the_documentation() -> None:
    settings = Settings()
    assert (settings.rate_limit_requests, settings.rate_limit_window_seconds) == (100, 60)
    assert (settings.auth_rate_limit_requests, settings.auth_rate_limit_window_seconds) == (10, 60)
    assert (settings.governance_rate_limit_requests, settings.governance_rate_limit_window_seconds) == (6000, 60)


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # not ours, so not believed
        ("10.0.0.7", (), "10.0.0.7"),
        ("10.0.0.7", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # what stands left of it, the client wrote
        ("10.0.0.7", ("6.6.6.6", "198.51.100.1, 10.1.1.1"), "198.51.100.1"),
        ("10.0.0.7", ("nonsense, 10.1.1.1",), "10.1.1.1"),
        ("10.0.0.7", ("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", (), "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", (), "203.0.113.9"),
        ("testclient", (), "testclient"),
        (None, (), NOBODY),
    ],
)
def test_the_address_that_counts(peer: str | None, forwarded: tuple[str, ...], counted: str) -> None:
    scope = {
        "client": (peer, 1) if peer else None,
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }
    assert ClientAddress(networks(("10.0.0.0/8",)))(scope) == counted


def test_trusted_proxies_are_networks() -> None:
    assert read_settings(trusted_proxies="10.0.0.0/8, 192.0.2.1").trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    with pytest.raises(SetupError, match="TRUSTED_PROXIES"):
        read_settings(trusted_proxies="the proxy")
