"""What was recorded against a changed policy, and a policy out of what was recorded: through REST, on real turns."""

import json
from typing import Any

import pytest

from mutx.governance import backtest, mining
from tests.resources.governed import POLICY, Governed, Somebody


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    ana = await plane.person()
    await ana.apply()
    return ana


@pytest.fixture
def _low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short history reaches them."""
    for module, bounds in (
        (backtest, {"MAX_CHANGES": 1, "MAX_EXAMPLES": 2}),
        (mining, {"MAX_TOOLS": 1, "MAX_ARGUMENTS": 1}),
    ):
        for name, bound in bounds.items():
            monkeypatch.setattr(module, name, bound)


async def _work(plane: Governed, who: Somebody, sessions: int = 40) -> None:
    """Two tools, the same every time: what a policy can be learned from."""
    agent = plane.agent(who)
    for number in range(sessions):
        for path in ("a", "b"):
            answer = await plane.decide(agent, "read_stock", session=f"s{number}", path=path, limit=number)
            await plane.conclude(agent, answer, {"path": path})
        mail = await plane.decide(agent, "mail", session=f"s{number}", to=f"kim{number}@corp.example", body="hello")
        await plane.conclude(agent, mail)


async def _post(who: Somebody, path: str, **body: Any) -> dict[str, Any]:
    answer = await who.post(f"/v1/policies/{path}", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_policy_in_force_would_decide_as_it_did(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana, 3)
    agent = plane.agent(ana)
    await plane.decide(agent, "drop", session="s1")
    asked = await plane.decide(agent, "pay", session="s1")
    assert asked.request is not None
    answer = await ana.post("/v1/governance/resolve", {"request_id": asked.request.id, "verdict": "approve"})
    assert answer.status_code == 200, answer.text  # a turn of its own, and no decision of the policies
    result = await _post(ana, "backtest", document=POLICY)
    assert (result["sessions"], result["decisions"], result["changed"]) == (3, 11, 0)
    assert result["now"] == {"allow": 6, "deny": 1, "modify": 3, "step_up": 1, "defer": 0}
    assert result["changes"] == result["examples"] == []


async def test_a_changed_policy_shows_what_would_change(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana, 3)
    stricter = POLICY.replace('{tool: "read_*"}, effect: allow', '{tool: "read_*"}, effect: step_up')
    result = await _post(ana, "backtest", document=stricter)
    assert (result["changed"], result["stricter"]) == (6, 6)
    (change,) = result["changes"]
    assert (change["tool"], change["before"], change["after"], change["rule"], change["count"]) == (
        "read_stock", "allow", "step_up", "shop/reads", 6,
    )  # fmt: skip
    assert len(result["examples"]) == 3
    assert {one["session_id"] for one in result["examples"]} <= {"s0", "s1", "s2"}


async def test_labels_of_the_new_policy_count_for_results_of_then(plane: Governed, ana: Somebody) -> None:
    """The recorded result is looked at again: what it mentions is untrusted under the new declaration."""
    await ana.apply(POLICY + "  - {id: call, match: {tool: ring}, effect: allow}\n")
    agent = plane.agent(ana)
    answer = await plane.decide(agent, "read_stock", path="a")
    await plane.conclude(agent, answer, "ring +49 30 1234567")
    await plane.decide(agent, "ring", number="+49 30 1234567")
    document = POLICY.replace("trusted: true", "trusted: false").replace(
        "rules:", "  - {name: ring, critical: [number]}\nrules:\n  - {id: call, match: {tool: ring}, effect: allow}"
    )
    result = await _post(ana, "backtest", document=document)
    (change,) = result["changes"]
    assert (change["tool"], change["after"], change["rule"]) == ("ring", "step_up", "untrusted_argument")


async def test_other_policies_stay_in_force_and_time_and_agent_narrow(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana, 2)
    await ana.apply(
        "name: more\ndefault: deny\nrules: [{id: m, match: {tool: mail}, effect: deny, priority: 1}]\n", "more"
    )
    assert (await _post(ana, "backtest", document=POLICY))["stricter"] == 2
    assert (await _post(ana, "backtest", document=POLICY, agent_id="nobody"))["sessions"] == 0
    plane.clock.advance(300)
    assert (await _post(ana, "backtest", document=POLICY, since_seconds=10))["decisions"] == 0


async def test_erased_arguments_are_left_out_and_counted(plane: Governed, ana: Somebody) -> None:
    agent = plane.agent(ana)
    answer = await plane.decide(agent, "read_stock", path="a")
    await plane.conclude(agent, answer, "x")
    assert await plane.services.ledger.erase(ana.workspace_id, answer.receipt_id)
    result = await _post(ana, "backtest", document=POLICY)
    assert (result["decisions"], result["erased"]) == (0, 1)


async def test_another_workspace_is_never_seen(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana, 2)
    eve = await plane.person("eve")
    assert (await _post(eve, "backtest", document=POLICY))["sessions"] == 0
    assert (await eve.post("/v1/policies/mine", {})).status_code == 422


async def test_sessions_that_are_kept_to_measure_on_are_said_to_be(plane: Governed, ana: Somebody) -> None:
    kept = next(f"only-{number}" for number in range(100) if mining.is_held_out(f"only-{number}"))
    answer = await plane.decide(plane.agent(ana), "read_stock", session=kept, path="a", limit=1)
    await plane.conclude(plane.agent(ana), answer, "x")
    refused = await ana.post("/v1/policies/mine", {})
    assert "1 session of it is kept to measure on" in refused.json()["message"]


async def test_a_document_that_does_not_compile_is_refused(ana: Somebody) -> None:
    answer = await ana.post("/v1/policies/backtest", {"document": "name: x\nrules: [{id: a, effect: perhaps}]"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "policy_invalid"


async def test_a_mined_policy_allows_what_was_done_and_no_more(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana)
    await plane.decide(plane.agent(ana), "drop", session="bad")
    for number in range(5):  # nobody approves these: nothing is done
        await plane.decide(plane.agent(ana), "pay", session=f"s{number}")
    mined = await _post(ana, "mine", name="learned")
    assert mined["sessions"] + mined["held_out_sessions"] + mined["refused_sessions"] == 41
    assert mined["held_out_sessions"] > 2
    assert (mined["blocked_sessions"], mined["blocked_calls"]) == (0, 0)
    document = json.loads(mined["document"])
    assert document["default"] == "deny"
    assert document["tools"].keys() == {"read_stock", "mail"}
    stock = document["tools"]["read_stock"]["parameters"]
    assert stock["path"] == {"required": True, "type": "string", "allowed": ["a", "b"]}
    assert stock["limit"]["type"] == "number"
    assert document["tools"]["mail"]["parameters"]["to"]["pattern"] == r"(?i)[^@\s]+@(?:corp\.example)"
    # Put in force, it still does the work and stops everything else.
    await ana.apply(json.dumps(document), "learned")
    assert (await ana.http.delete("/v1/policies/shop")).status_code < 300
    agent = plane.agent(ana)
    assert (await plane.decide(agent, "mail", session="n", to="bo@corp.example", body="hello")).effect.runs
    assert not (await plane.decide(agent, "mail", session="n", to="bo@evil.example", body="hello")).effect.runs
    assert not (await plane.decide(agent, "read_stock", session="n", path="c", limit=1)).effect.runs
    assert not (await plane.decide(agent, "drop", session="n")).effect.runs


@pytest.mark.usefixtures("_low_bounds")
async def test_changes_of_more_kinds_than_are_told_apart_are_counted_all_the_same(
    plane: Governed, ana: Somebody
) -> None:
    """What a pipeline fails on must not hang on how many kinds there are."""
    await _work(plane, ana, 2)
    document = "name: shop\ndefault: deny\nrules: []\n"
    result = await _post(ana, "backtest", document=document)
    assert (result["changed"], result["stricter"]) == (6, 6)
    assert (len(result["changes"]), len(result["examples"])) == (1, 2)


@pytest.mark.usefixtures("_low_bounds")
async def test_a_mined_policy_of_more_tools_and_arguments_than_are_learned(plane: Governed, ana: Somebody) -> None:
    await _work(plane, ana, 10)
    document = json.loads((await _post(ana, "mine"))["document"])
    assert list(document["tools"]) == ["read_stock"]
    stock = document["tools"]["read_stock"]
    assert len(stock["parameters"]) == 1
    assert stock.get("additional_parameters", True) is True
