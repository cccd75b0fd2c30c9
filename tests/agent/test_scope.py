"""Sessions, parents and sub-agents: carried into coroutines, threads and pools, and nowhere else."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutx_agent import Governor
from mutx_agent.threads import carry_into_threads
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane


def governed(plane: ScriptedPlane) -> Governor:
    return Governor(EmbeddedTransport(server=plane), agent_id="bot")


def test_calls_outside_any_session_share_the_processs_own(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    governor(lambda: None)()
    governor(lambda: None)()
    first, second = plane.calls
    assert first["session_id"] == second["session_id"]
    assert "original_request" not in first
    assert "parent_action_id" not in first


def test_a_session_gives_its_calls_an_id_and_the_request(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    tool = governor(lambda: None)
    with governor.session(request="pay the invoices", user="dana", intent="paying") as session:
        tool()
    tool()
    inside, outside = plane.calls
    assert inside["session_id"] == session.session_id != outside["session_id"]
    assert (inside["original_request"], inside["user_id"], inside["stated_intent"]) == (
        "pay the invoices",
        "dana",
        "paying",
    )


def test_nested_calls_name_their_parent(plane: ScriptedPlane) -> None:
    governor = governed(plane)

    @governor
    def inner() -> None: ...

    @governor
    def outer() -> None:
        inner()

    outer()
    inner()
    first, second, third = plane.calls
    assert second["parent_action_id"] == first["action_id"]
    assert "parent_action_id" not in third


async def test_nested_coroutines_name_their_own_parents(plane: ScriptedPlane) -> None:
    governor = governed(plane)

    @governor
    async def inner(n: int) -> None: ...

    @governor
    async def outer(n: int) -> None:
        await asyncio.gather(inner(n), asyncio.to_thread(governor(lambda n: None), n))

    await asyncio.gather(*(outer(n) for n in range(5)))
    outers = {c["tool_args"]["n"]: c["action_id"] for c in plane.calls if c["tool_name"] == "outer"}
    inners = [c for c in plane.calls if c["tool_name"] != "outer"]
    assert len(inners) == 10
    assert all(c["parent_action_id"] == outers[c["tool_args"]["n"]] for c in inners)


def test_threads_and_pools_stay_in_the_session(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    tool = governor(lambda: None)
    with ThreadPoolExecutor(1) as pool:
        with governor.session() as session:
            pool.submit(tool).result()
            list(pool.map(lambda _: tool(), range(2)))
            thread = threading.Thread(target=tool)
            thread.start()
            thread.join()
        pool.submit(tool).result()  # the pool's thread was started inside, this work was not
    assert [c["session_id"] == session.session_id for c in plane.calls] == [True] * 4 + [False]


def test_a_parent_reaches_the_pool_its_tool_works_with(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    inner = governor(lambda: None)

    @governor
    def outer() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: inner(), range(4)))

    with governor.session():
        outer()
    assert {c.get("parent_action_id") for c in plane.calls[1:]} == {plane.calls[0]["action_id"]}


def test_carrying_is_installed_once() -> None:
    carry_into_threads()
    submit = ThreadPoolExecutor.submit
    carry_into_threads()
    assert ThreadPoolExecutor.submit is submit


def test_a_function_can_be_bound_to_the_session_by_hand(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    with governor.session() as session:
        tool = governor.thread(governor(lambda: None))
    tool()
    assert plane.calls[0]["session_id"] == session.session_id


def test_a_sub_agent_stays_in_the_session_under_its_own_name(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    tool = governor(lambda: None)

    @governor
    def delegate() -> None:
        with governor.session(agent="researcher"):
            tool()

    with governor.session(request="find out", agent="lead"):
        delegate()
        with governor.session(session_id="apart"):
            tool()
    first, second, third = plane.calls
    assert second["session_id"] == first["session_id"]
    assert (first["agent_id"], second["agent_id"]) == ("lead", "researcher")
    assert second["parent_action_id"] == first["action_id"]
    assert third["session_id"] == "apart"


def test_the_consumer_of_a_stream_is_not_inside_its_action(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    tool = governor(lambda: None)

    @governor
    def numbers():  # type: ignore[no-untyped-def]
        tool()
        yield 1

    for _ in numbers():
        tool()
    stream, inside, outside = plane.calls
    assert inside["parent_action_id"] == stream["action_id"]
    assert "parent_action_id" not in outside


async def test_sessions_work_with_async_with(plane: ScriptedPlane) -> None:
    governor = governed(plane)
    async with governor.session() as session, governor.action("x", {}) as action:
        action.result = 1
    assert plane.calls[0]["session_id"] == session.session_id


def test_threads_know_their_parent_outside_any_session_too() -> None:
    """In a process of its own: here an earlier test has reached the threads already."""
    program = """
import threading
from tests.agent.scripted_plane import ScriptedPlane
from tests.agent.test_scope import governed

plane = ScriptedPlane()
governor = governed(plane)
inner = governor(lambda: None)

@governor
def outer():
    thread = threading.Thread(target=inner)
    thread.start()
    thread.join()

outer()
first, second = plane.calls
assert second["parent_action_id"] == first["action_id"]
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
