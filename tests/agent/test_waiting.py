"""A call that a person is asked about: it waits, runs exactly once, or not at all."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mutx_agent import ActionDenied, ApprovalTimeout, ControlPlaneUnreachable, Governor
from mutx_agent.transport.base import Json, Transport
from mutx_agent.transport.http import HttpTransport
from tests.agent.scripted_plane import ScriptedPlane, ask


@pytest.fixture
def plane() -> ScriptedPlane:
    return ScriptedPlane(ask)


def in_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run `work` in a thread; the list takes its result or its error."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def approve(plane: ScriptedPlane, **fields: Any) -> str:
    action_id = plane.waiting()
    plane.answer(action_id, **{"decision": "allow", "permit": f"permit:{action_id}", **fields})
    return action_id


def test_an_approved_call_runs_once_with_its_permit_redeemed_first(governor: Governor, plane: ScriptedPlane) -> None:
    redeemed_before = []
    thread, results = in_background(lambda: governor(lambda n: redeemed_before.append(len(plane.redeemed)) or n)(7))
    action_id = approve(plane)
    thread.join(10)
    assert results == [7]
    assert redeemed_before == [1]
    assert plane.redeemed == [{"permit": f"permit:{action_id}", "tool_args": {"n": 7}}]
    assert [outcome["status"] for outcome in plane.outcomes] == ["executed"]


def test_an_approval_with_modified_arguments_redeems_those(governor: Governor, plane: ScriptedPlane) -> None:
    thread, results = in_background(lambda: governor(lambda n: n)(7))
    approve(plane, decision="modify", modified_args={"n": 1})
    thread.join(10)
    assert results == [1]
    assert plane.redeemed[0]["tool_args"] == {"n": 1}


def test_a_refused_call_does_not_run(governor: Governor, plane: ScriptedPlane) -> None:
    ran: list[int] = []
    thread, results = in_background(lambda: governor(ran.append)(1))
    plane.answer(plane.waiting(), decision="deny", reason="not this month", reason_code="approval_denied")
    thread.join(10)
    assert isinstance(results[0], ActionDenied)
    assert results[0].reason == "not this month"
    assert ran == []


def test_an_expired_request_is_a_timeout(governor: Governor, plane: ScriptedPlane) -> None:
    thread, results = in_background(governor(lambda: None))
    plane.answer(plane.waiting(), decision="deny", reason="expired", reason_code="approval_expired")
    thread.join(10)
    assert isinstance(results[0], ApprovalTimeout)


def test_nobody_answers_before_the_callers_own_deadline(governor: Governor, plane: ScriptedPlane) -> None:
    ran: list[int] = []
    with pytest.raises(ApprovalTimeout) as caught:
        governor(deadline=0.2)(ran.append)(1)
    approve(plane)  # too late: nobody is there to run it
    assert ran == []
    assert caught.value.reason_code == "approval_timeout"


def test_a_permit_that_somebody_else_spent_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    ran: list[int] = []
    thread, results = in_background(lambda: governor(ran.append)(1))
    action_id = plane.waiting()
    plane._redeem = lambda _: plane.__class__._redeem(plane, {"permit": f"permit:{action_id}"})  # type: ignore[method-assign]
    plane.answer(action_id, decision="allow", permit=f"permit:{action_id}")
    thread.join(10)
    assert results == [None]
    plane.spend(action_id)
    with pytest.raises(ActionDenied):
        governor.action("x", {}, action_id=action_id).begin()
    assert ran == [1]


@pytest.mark.parametrize("governor", ["http", "uds"], indirect=True)
def test_a_lost_answer_to_redeem_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    """The permit may have been spent: what cannot be known is refused."""
    ran: list[int] = []
    thread, results = in_background(lambda: governor(ran.append)(1))
    plane.drop = ["redeem"]
    approve(plane)
    thread.join(10)
    assert isinstance(results[0], ControlPlaneUnreachable)
    assert ran == []
    assert len(plane.redeemed) == 1


def test_the_wait_survives_a_control_plane_that_goes_away_and_comes_back(plane: ScriptedPlane) -> None:
    ran: list[int] = []
    with plane.http() as url:
        governor = Governor(HttpTransport(url, timeout=5))
        thread, results = in_background(lambda: governor(ran.append)(1))
        plane.waiting()
    with plane.http(int(url.rpartition(":")[2])):
        approve(plane)
        thread.join(20)
        assert results == [None]
        governor.close()
    assert ran == [1]


async def test_many_waits_hold_up_neither_each_other_nor_the_loop(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    async def pay(n: int) -> int:
        return n

    tasks = [asyncio.create_task(pay(n)) for n in range(20)]
    answered = 0
    while answered < 20:
        waiting = [call["action_id"] for call in plane.calls]
        for action_id in waiting[answered:]:
            plane.answer(action_id, decision="allow", permit=f"permit:{action_id}")
        answered = len(waiting)
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*tasks) == list(range(20))
    assert len(plane.redeemed) == 20


def test_a_renewed_question_is_waited_for_again() -> None:
    """An approval that opens another request: the call goes on waiting, by the new request's expiry."""
    answers = iter(
        [
            {"decision": "defer", "approval": {"remaining_seconds": 0.0}},
            {"decision": "defer", "approval": {"remaining_seconds": 60.0}},
            {"decision": "allow", "permit": "p"},
        ]
    )

    class Renewing(Transport):
        def call(self, verb: str, body: Json) -> Json:
            if verb in ("redeem", "conclude"):
                return {}
            return {"action_id": body["action_id"], "receipt_id": "r", **next(answers)}

    assert Governor(Renewing())(lambda: "ran")() == "ran"
