"""Calls that wait for a person."""

import asyncio
from typing import Any

from mcp.types import ElicitResult

from mutx.contract.approvals import ApprovalState
from tests.services.mcp.conftest import Desk, text_of, until
from tests.services.mcp.test_proxy import bank


def pending(desk: Desk, session: str) -> Any:
    found = [
        one for one in desk.operator.approvals.list(ApprovalState.PENDING, limit=200).items if one.session_id == session
    ]
    return found[0] if found else None


async def test_a_call_waits_for_a_person_and_runs_once(desk: Desk) -> None:
    server, ran, told = desk.name(), [], []

    async def progress(count: float, total: float | None, message: str | None) -> None:
        told.append(message)

    line = {"session_id": f"wait-{server}"}
    async with desk.proxy({server: bank(ran)}, line=line) as client:
        paying = asyncio.create_task(
            client.call_tool(f"{server}__pay", {"to": "acme", "amount": 7}, progress_callback=progress)
        )
        request = await until(lambda: pending(desk, line["session_id"]))
        assert ran == []
        await until(lambda: told)
        assert f"mutx approve {request.id}" in told[0]
        await asyncio.to_thread(desk.operator.approvals.approve, request.id)
        assert text_of(await paying) == "paid"
    assert ran == [("pay", "acme", 7)]


async def test_a_person_says_no(desk: Desk) -> None:
    server, ran = desk.name(), []
    line = {"session_id": f"no-{server}"}
    async with desk.proxy({server: bank(ran)}, line=line) as client:
        paying = asyncio.create_task(client.call_tool(f"{server}__pay", {"to": "eve", "amount": 7}))
        request = await until(lambda: pending(desk, line["session_id"]))
        await asyncio.to_thread(desk.operator.approvals.reject, request.id)
        result = await paying
    assert result.is_error
    assert result.meta["mutx/reason_code"] == "approval_denied"
    assert ran == []


async def test_nobody_answers_in_time(desk: Desk) -> None:
    server, ran = desk.name(), []
    async with desk.proxy({server: bank(ran)}, line={"deadline": 0.2}) as client:
        result = await client.call_tool(f"{server}__pay", {"to": "eve", "amount": 7})
    assert result.meta["mutx/reason_code"] == "approval_timeout"
    assert ran == []


async def test_whoever_is_asked_at_the_client_may_give_the_call_up(desk: Desk) -> None:
    server, ran, asked = desk.name(), [], []

    async def decline(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="decline")

    async with desk.proxy({server: bank(ran)}, elicitation_callback=decline) as client:
        result = await client.call_tool(f"{server}__pay", {"to": "eve", "amount": 7})
    assert result.meta["mutx/reason_code"] == "declined_to_wait"
    assert "decline to give the call up" in asked[0]
    assert ran == []


async def test_an_accepted_question_approves_only_where_the_operator_said_so(desk: Desk) -> None:
    server, ran = desk.name(), []

    async def accept(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={})

    async with desk.proxy({server: bank(ran)}, elicitation_callback=accept, approves=True) as client:
        assert text_of(await client.call_tool(f"{server}__pay", {"to": "acme", "amount": 1})) == "paid"
    line = {"deadline": 0.5}
    async with desk.proxy({server: bank(ran)}, elicitation_callback=accept, line=line) as client:
        result = await client.call_tool(f"{server}__pay", {"to": "acme", "amount": 2})
    assert result.meta["mutx/reason_code"] == "approval_timeout"
    assert ran == [("pay", "acme", 1)]
