"""Handing a part of one's rights to another agent, from inside a program."""

import asyncio

import pytest

from mutx_agent import ActionDenied, ApprovalTimeout, ControlPlaneUnreachable, Governor
from mutx_agent.errors import DoorRefused, DoorUnreachable
from mutx_agent.transport.base import Json, Transport

WAITS = {"action_id": "a", "decision": "defer", "approval": {"remaining_seconds": 60, "reason": "ask"}}
TOKEN = {"token": "mutxd1.x"}


class Scripted(Transport):
    """Answers each verb in turn; what is an error is raised."""

    def __init__(self, **answers: list[Json | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Json]] = []

    def call(self, verb: str, body: Json) -> Json:
        self.asked.append((verb, body))
        answer = self.answers[verb].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_is_handed_on_is_told_in_the_words_of_the_wire() -> None:
    transport = Scripted(delegate=[TOKEN])
    govern = Governor(transport, agent_id="planner")
    with govern.session(session_id="s", delegation="mutxd1.mine"):
        token = govern.delegate("worker", ["read_*", {"tool": "pay", "ceilings": {"amount": 5}}], calls=2)
    assert token == "mutxd1.x"
    verb, body = transport.asked[0]
    assert verb == "delegate"
    assert len(body.pop("action_id")) > 8
    assert body == {
        "delegator": "planner",
        "delegate": "worker",
        "tools": [{"tool": "read_*"}, {"tool": "pay", "ceilings": {"amount": 5}}],
        "seconds": 3600,
        "depth": 0,
        "calls": 2,
        "delegation": "mutxd1.mine",
        "session_id": "s",
    }


def test_calls_of_a_session_are_made_under_its_delegation_and_so_are_those_of_sessions_in_it() -> None:
    govern = Governor(Scripted(), agent_id="planner")
    with govern.session(delegation="one"):
        assert govern.action("pay", {})._call["delegation"] == "one"
        with govern.session(agent="other"):
            assert govern.action("pay", {})._call["delegation"] == "one"
    assert "delegation" not in govern.action("pay", {})._call


def test_a_hand_off_that_waits_for_a_person_is_asked_for_again_once_it_is_released() -> None:
    conflict = DoorRefused("conflict", "waits for a person")
    transport = Scripted(delegate=[conflict, TOKEN], status=[WAITS], wait=[{"action_id": "a", "decision": "allow"}])
    assert Governor(transport).delegate("worker", ["pay"]) == "mutxd1.x"
    assert [verb for verb, _ in transport.asked] == ["delegate", "status", "wait", "delegate"]
    assert transport.asked[0][1] == transport.asked[-1][1]
    raced = Scripted(delegate=[conflict, TOKEN], status=[{"action_id": "a", "decision": "allow"}])
    assert Governor(raced).delegate("worker", ["pay"]) == "mutxd1.x"


def test_nobody_who_answers_in_time_is_no_delegation() -> None:
    transport = Scripted(delegate=[DoorRefused("conflict", "waits")], status=[WAITS])
    with pytest.raises(ApprovalTimeout):
        Governor(transport).delegate("worker", ["pay"], deadline=0)


def test_a_refusal_says_why() -> None:
    refused = DoorRefused("permission_denied", "the policies deny this", {"reason_code": "default"})
    with pytest.raises(ActionDenied, match="delegate/worker was not run: the policies deny this") as caught:
        Governor(Scripted(delegate=[refused])).delegate("worker", ["pay"])
    assert caught.value.reason_code == "default"


def test_no_answer_is_no_delegation() -> None:
    lost = [DoorUnreachable("gone")] * 3
    with pytest.raises(ControlPlaneUnreachable):
        Governor(Scripted(delegate=[*lost])).delegate("worker", ["pay"])


def test_the_same_without_blocking_the_event_loop() -> None:
    govern = Governor(Scripted(delegate=[TOKEN]))
    assert asyncio.run(govern.adelegate("worker", ["pay"], depth=1)) == "mutxd1.x"
