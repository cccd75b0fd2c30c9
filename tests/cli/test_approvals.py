"""Questions, answers and receipts, as the operator meets them."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mutx.cli.commands import approvals as approvals_module
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.demo.proof import change_one_byte
from mutx.cli.follow import follow
from mutx.contract.approvals import ApprovalCreate
from mutx.sdk import MutxClient
from mutx_agent import ActionDenied, Governor
from tests.cli.conftest import Run
from tests.sdk import local

pytestmark = pytest.mark.usefixtures("signed_in")
Ask = Callable[..., Any]


@pytest.fixture
def governor(plane: LocalControlPlane, client: MutxClient) -> Iterator[Governor]:
    agent, key = local.agent_key(client)
    governor = Governor(url=plane.url, api_key=key, agent_id=agent)
    yield governor
    governor.close()


def in_background(work: Callable[[], Any]) -> tuple[Thread, list[Any]]:
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except ActionDenied as denial:
            results.append(denial)

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def pending(ask: Ask) -> dict[str, Any]:
    """The one request that waits, as soon as it does."""
    while True:
        if items := ask("approvals")["items"]:
            found: dict[str, Any] = items[0]
            return found


def test_a_request_is_listed_shown_approved_and_remembered(run: Run, ask: Ask, governor: Governor) -> None:
    pay = governor(tool="pay")(lambda amount: amount)
    thread, results = in_background(lambda: pay(500))
    request = pending(ask)
    assert request["action_type"] == "pay"
    listed = run("approvals").stdout
    assert "a large payment" in listed
    assert "amount = 500" in listed
    shown = run("approvals", "show", request["id"]).stdout
    assert "500" in shown
    assert "large" in shown
    assert ask("approvals", "show", request["id"])["policy_version"]
    assert "approved: pay" in run("approve", request["id"], "--comment", "checked", "--grant", "1h:2").stdout
    thread.join(30)
    assert results == [500]
    assert pay(600) == 600  # the grant answers
    assert "nothing waits" in run("approvals").stdout
    run("approve", request["id"], exits=9)
    run("approve", request["id"], "--grant", "soon", exits=2)


def test_the_list_names_the_value_that_is_asked_about(run: Run, ask: Ask, governor: Governor) -> None:
    """Short enough for a row; `show` has more of it."""
    wire = governor(tool="wire")(lambda amount, to: to)
    address = "x" * 300
    thread, results = in_background(lambda: wire(5, address))
    request = pending(ask)
    (critical,) = request["critical"]
    assert (critical["name"], critical["origin"], len(critical["value"])) == ("to", "nowhere", 200)
    row = next(line for line in run("approvals").stdout.splitlines() if request["id"] in line)
    assert "to = xxx" in row
    assert "amount" not in row
    assert "x" * 80 not in row
    assert ask("approvals", "show", request["id"])["critical"] == request["critical"]
    run("deny", request["id"])
    thread.join(30)
    assert results[0].reason_code == "approval_denied"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_requests_are_followed_as_they_open(
    words: tuple[str, ...], run: Run, client: MutxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until somebody has seen enough: here, one."""
    agent, _ = local.agent_key(client)
    enough = Event()
    made: list[str] = []

    def keep_asking() -> None:
        while not enough.wait(0.1):
            wanted = ApprovalCreate(agent_id=agent, session_id="followed", action_type="pay", payload={"amount": 900})
            made.append(client.approvals.create(wanted).id)

    monkeypatch.setattr(approvals_module, "follow", lambda connect, state: islice(follow(connect, state), 1))
    asking = Thread(target=keep_asking, daemon=True)
    asking.start()
    try:
        shown = run("approvals", "--watch", *words).stdout
    finally:
        enough.set()
        asking.join(30)
        for request in made:
            client.approvals.reject(request)
    if words:
        assert json.loads(shown)["action_type"] == "pay"
    else:
        assert shown.startswith("pending, ")
        assert "amount = 900" in shown


def test_a_denied_request_runs_nothing(run: Run, ask: Ask, governor: Governor) -> None:
    ran: list[int] = []
    refused = governor(tool="pay")(lambda amount: ran.append(amount))  # noqa: PLW0108 - the policy reads `amount`
    thread, results = in_background(partial(refused, 501))
    run("deny", pending(ask)["id"], "--comment", "no")
    thread.join(30)
    assert results[0].reason_code == "approval_denied"
    assert ran == []


def test_receipts_are_shown_exported_and_verified_offline(
    run: Run, ask: Ask, governor: Governor, tmp_path: Path
) -> None:
    with governor.session(request="read and pay") as session:
        governor(tool="read")(lambda path: "text")("/a")
        with pytest.raises(ActionDenied):
            governor(tool="shell")(lambda: None)()
    listed = ask("receipts", "show", "--session", session.session_id)
    assert [(r["kind"], r["tool_name"]) for r in listed] == [
        ("decision", "read"),
        ("outcome", "read"),
        ("decision", "shell"),
    ]
    assert "shell" in run("receipts", "show", "--session", session.session_id).stdout
    assert ask("receipts", "show", listed[0]["receipt_id"])["tool_args"] == {"path": "/a"}

    file, keys = tmp_path / "receipts.json", tmp_path / "keys.json"
    run("receipts", "export", "--session", session.session_id, "--output", str(file))
    assert run("receipts", "export", "--session", session.session_id).stdout.encode().strip() != b""
    keys.write_text(json.dumps(ask("security", "keys")))
    assert lines_end(run("receipts", "verify", str(file), "--key", str(keys)), "verified: 3 receipts")
    assert ask("receipts", "verify", str(file), "--key", str(keys))["verdict"] == "verified"
    run("receipts", "verify", str(file), exits=7)


def test_a_changed_receipt_is_named(run: Run, ask: Ask, governor: Governor, tmp_path: Path) -> None:
    with governor.session() as session:
        governor(tool="pay")(lambda amount: amount)(5)
    file, changed, keys = (tmp_path / name for name in ("receipts.json", "changed.json", "keys.json"))
    run("receipts", "export", "--session", session.session_id, "--output", str(file))
    keys.write_text(json.dumps(ask("security", "keys")))
    name = change_one_byte(file, changed)
    assert (
        f"tampered receipt caught: {name}"
        in run("receipts", "verify", str(changed), "--key", str(keys), exits=6).stdout
    )


def lines_end(result: Any, beginning: str) -> bool:
    return str(result.stdout.splitlines()[-1]).startswith(beginning)


def test_an_answer_is_told_as_json_as_well(run: Run, ask: Ask, governor: Governor) -> None:
    thread, results = in_background(lambda: governor(tool="pay")(lambda amount: amount)(700))
    request = pending(ask)["id"]
    assert "amount" in run("approvals", "show", request).stdout
    assert json.loads(run("deny", request, "--json").stdout)["id"] == request
    thread.join(60)
    assert isinstance(results[0], ActionDenied)
