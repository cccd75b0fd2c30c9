"""Both clients against a real control plane."""

import threading
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.agents import AgentCreate
from mutx.contract.governance import DecideRequest
from mutx.kit.errors import InputError, MutxError, NotFound, Unauthenticated
from mutx.sdk import MutxAsyncClient, MutxClient, Unreachable
from mutx.sdk.credentials import FileTokens, MemoryTokens, TokenPair, write_private
from tests.sdk import local


def test_an_agent_from_cradle_to_grave(client: MutxClient) -> None:
    made = client.agents.create(AgentCreate(name="scout"))
    assert client.agents.get(made.id).name == "scout"
    assert made.id in [agent.id for agent in client.agents.list(limit=200).items]
    client.agents.delete(made.id)
    with pytest.raises(NotFound) as caught:
        client.agents.get(agent_id=made.id)
    assert caught.value.details["request_id"]


async def test_the_asynchronous_client_speaks_the_same(plane: LocalControlPlane, client: MutxClient) -> None:
    tokens = client.http.auth._store.load()  # type: ignore[union-attr]
    async with MutxAsyncClient(plane.url, tokens=MemoryTokens(tokens)) as other:
        assert (await other.auth.me()).name == (client.auth.me()).name
        with pytest.raises(NotFound):
            await other.agents.get(uuid4())


def test_bodies_may_be_plain_dicts_and_are_checked(client: MutxClient) -> None:
    made = client.agents.create({"name": "plain"})  # type: ignore[arg-type]
    assert made.name == "plain"
    with pytest.raises(InputError, match="name"):
        client.agents.create({"nome": "typo"})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        client.agents.create()  # type: ignore[call-arg]


def test_errors_are_the_classes_the_server_meant(plane: LocalControlPlane) -> None:
    with MutxClient(plane.url) as stranger, pytest.raises(Unauthenticated):
        stranger.auth.me()
    with MutxClient(plane.url, api_key="mutx_nothing") as stranger, pytest.raises(Unauthenticated):
        stranger.auth.me()
    with MutxClient("http://127.0.0.1:9") as nobody, pytest.raises(Unreachable):
        nobody.health.get()
    with local.sign_in(plane) as client, pytest.raises(InputError, match="limit"):
        client.agents.list(limit=10_000)


def test_an_answer_that_is_not_ours_is_no_answer() -> None:
    proxy = httpx2.MockTransport(lambda _: httpx2.Response(502, text="<html>"))
    with MutxClient("http://x", transport=proxy) as client, pytest.raises(Unreachable, match="502"):
        client.health.get()
    newer = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"status": 1}))
    with MutxClient("http://x", transport=newer) as client, pytest.raises(MutxError, match="older or newer"):
        client.health.get()


def test_expired_tokens_renew_themselves_once_for_all_threads(plane: LocalControlPlane, tmp_path: Path) -> None:
    with local.sign_in(plane) as client:
        tokens = client.http.auth._store.load()  # type: ignore[union-attr]
    path = tmp_path / "credentials.json"
    write_private(path, {"url": plane.url, "access_token": "expired", "refresh_token": tokens.refresh_token})
    results: list[str] = []

    def work() -> None:
        with MutxClient(plane.url, tokens=FileTokens(path)) as mine:
            results.append(mine.auth.me().name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4  # a refresh token used twice would have ended the login
    assert path.stat().st_mode & 0o777 == 0o600


async def test_expired_tokens_renew_themselves_asynchronously(plane: LocalControlPlane, client: MutxClient) -> None:
    tokens = client.http.auth._store.load()  # type: ignore[union-attr]
    store = MemoryTokens(TokenPair("expired", tokens.refresh_token))
    async with MutxAsyncClient(plane.url, tokens=store) as other:
        assert (await other.auth.me()).is_active
    assert store.load() != TokenPair("expired", tokens.refresh_token)


def test_a_login_that_ended_stays_ended(plane: LocalControlPlane) -> None:
    with MutxClient(plane.url, tokens=MemoryTokens(TokenPair("no", "no"))) as client, pytest.raises(Unauthenticated):
        client.auth.me()


def test_events_stream_until_the_question_is_answered(plane: LocalControlPlane, client: MutxClient) -> None:
    local.apply_policy(client)
    agent, key = local.agent_key(client)
    with MutxClient(plane.url, api_key=key) as bot:
        asked = bot.governance.decide(
            DecideRequest(
                tool_name="pay", agent_id=agent, session_id="s", tool_args={"amount": 500}, action_id=str(uuid4())
            )
        )
        assert asked.decision == "defer"
        assert asked.approval is not None
        events = bot.governance.wait(asked.action_id, timeout=20)
        assert next(events).decision == "defer"
        client.approvals.approve(asked.approval.request_id)
        last = list(events)[-1]
        assert last.decision == "allow"
        assert last.permit


def test_local_reads_what_login_and_up_left(plane: LocalControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTX_HOME", str(plane.home))
    with MutxClient.local() as client:
        assert client.base_url == plane.url
    monkeypatch.setenv("MUTX_URL", "http://elsewhere")
    monkeypatch.setenv("MUTX_API_KEY", "k")
    with MutxClient.local() as client:
        assert client.base_url == "http://elsewhere"


def test_the_same_client_works_inside_this_process(tmp_path: Path) -> None:
    with MutxClient.embedded(str(tmp_path / "embedded")) as client:
        local.apply_policy(client)
        assert [policy.name for policy in client.policies.list()] == ["shop"]
        with pytest.raises(NotFound):
            client.policies.get("other")
        news = client.approvals.stream()
        agent, _ = local.agent_key(client)
        client.governance.decide(
            DecideRequest(
                tool_name="pay", agent_id=agent, session_id="s", tool_args={"amount": 500}, action_id=str(uuid4())
            )
        )
        assert next(news).action_type == "pay"
        news.close()  # type: ignore[attr-defined]


async def test_the_asynchronous_client_works_inside_this_process(tmp_path: Path) -> None:
    async with await MutxAsyncClient.embedded(str(tmp_path / "embedded")) as client:
        assert (await client.auth.me()).is_active
        assert (await client.health.get()).status == "healthy"
