"""The same stories through the doors of a real control plane: HTTP, Unix socket, and inside this process."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.approvals import ApprovalState
from mutx.contract.security import ReceiptView
from mutx.sdk import MutxClient
from mutx_agent import ActionDenied, Governor
from mutx_agent.client import MutxAgentClient
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.transport.http import HttpTransport
from mutx_agent.transport.unix import SocketTransport
from tests.sdk import local


class Door(NamedTuple):
    """A governor at one door, and the operator behind it."""

    name: str
    governor: Governor
    operator: MutxClient


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalControlPlane]:
    with local.control_plane(tmp_path_factory.mktemp("plane")) as plane:
        with local.sign_in(plane) as client:
            local.apply_policy(client)
        yield plane


@pytest.fixture(params=["http", "uds", "embedded"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    name: str = request.param
    if name == "embedded":
        with MutxClient.embedded(str(tmp_path / "embedded")) as operator:
            local.apply_policy(operator)
            bridge = operator.http._transport
            transport: Any = EmbeddedTransport(server=bridge.host)  # type: ignore[attr-defined]
            yield Door(name, Governor(transport, agent_id="bot"), operator)
        return
    plane: LocalControlPlane = request.getfixturevalue("plane")
    with local.sign_in(plane) as operator:
        agent, key = local.agent_key(operator)
        if name == "http":
            transport = HttpTransport(plane.url, api_key=key)
        else:
            transport = SocketTransport(str(plane.home / "run" / "mutx.sock"))
        governor = Governor(transport, agent_id=agent)
        yield Door(name, governor, operator)
        governor.close()


def receipts(door: Door, session_id: str) -> list[ReceiptView]:
    return door.operator.security.session_receipts(session_id).receipts


def test_allow_deny_and_modify(door: Door) -> None:
    mailed: list[str] = []
    pay = door.governor(tool="pay")(lambda amount: amount)
    mail = door.governor(tool="mail")(lambda body: mailed.append(body))  # noqa: PLW0108 - the policy reads `body`
    with door.governor.session(request="pay 5 and tell Dana") as session:
        assert pay(5) == 5
        mail("her number is 078-05-1120")
        with pytest.raises(ActionDenied):
            pay(5000)
    assert mailed == ["her number is [REDACTED:ssn]"]
    kept = receipts(door, session.session_id)
    assert [(r.kind, r.tool_name, r.effect) for r in kept] == [
        ("decision", "pay", "allow"),
        ("outcome", "pay", "allow"),
        ("decision", "mail", "modify"),
        ("outcome", "mail", "modify"),
        ("decision", "pay", "deny"),
    ]
    assert kept[1].result == 5
    assert {r.metadata.get("door", door.name) for r in kept} == {door.name}


def test_an_approved_call_runs_once(door: Door) -> None:
    ran: list[int] = []
    pay = door.governor(tool="pay")(lambda amount: ran.append(amount) or "paid")
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(pay(500))
        except ActionDenied as denial:
            results.append(denial)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not (waiting := door.operator.approvals.list(ApprovalState.PENDING).items):
        assert thread.is_alive()
        time.sleep(0.2)  # requests are counted here as anywhere
    door.operator.approvals.approve(waiting[0].id)
    thread.join(60)
    assert results == ["paid"]
    assert ran == [500]


def test_a_parent_and_its_children_share_a_session(door: Door) -> None:
    read = door.governor(tool="read")(lambda path: path)

    @door.governor(tool="read.all")
    def read_all() -> list[str]:
        return [read("a"), read("b")]

    with door.governor.session() as session:
        assert read_all() == ["a", "b"]
    assert [r.kind for r in receipts(door, session.session_id)] == ["decision"] * 2 + ["outcome", "decision"] + [
        "outcome"
    ] * 2


def test_an_agent_reports_for_itself(plane: LocalControlPlane, tmp_path: Path) -> None:
    with local.sign_in(plane) as operator, MutxClient.embedded(str(tmp_path / "e")) as inside:
        tokens = operator.http.auth._store.load()  # type: ignore[union-attr]
        embedded = EmbeddedTransport(server=inside.http._transport.host)  # type: ignore[attr-defined]
        for make in (
            partial(MutxAgentClient, plane.url, tokens.access_token),
            partial(MutxAgentClient, transport=embedded),
        ):
            with make() as agent:
                agent.register("reporter")
                assert agent.heartbeat()["status"]
                agent.report_metrics(cpu_usage=1.5, queue=3)
                agent.send_log("hello")
                assert agent.poll_commands() == []
