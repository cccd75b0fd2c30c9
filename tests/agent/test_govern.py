"""`govern` around callables of every kind, through every door."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mutx_agent import ActionDenied, ControlPlaneUnreachable, Governor, OutcomeNotRecorded
from mutx_agent.transport.base import Json
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.wrap import STREAM_ITEMS
from tests.agent.scripted_plane import Refusal, ScriptedPlane, allow, deny


def test_an_allowed_call_runs_with_its_arguments_and_is_concluded(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    def wire(amount: int, to: str = "ACME", *notes: str, **more: Any) -> dict[str, Any]:
        """Send money."""
        return {"sent": amount, "to": to, "notes": notes, "more": more}

    assert wire(5, "X", "a", "b", urgent=True) == {"sent": 5, "to": "X", "notes": ("a", "b"), "more": {"urgent": True}}
    assert wire.__name__ == "wire"
    assert wire.__doc__ == "Send money."
    call, outcome = plane.calls[0], plane.outcomes[0]
    assert call["tool_name"] == "wire"
    assert call["agent_id"] == "bot"
    assert call["tool_args"] == {"amount": 5, "to": "X", "notes": ["a", "b"], "urgent": True}
    assert outcome["action_id"] == call["action_id"]
    assert outcome["status"] == "executed"
    assert outcome["result"]["sent"] == 5


def test_defaults_are_governed_too(governor: Governor, plane: ScriptedPlane) -> None:
    governor(lambda path="/etc/passwd": path)()
    assert plane.calls[0]["tool_args"] == {"path": "/etc/passwd"}


def test_a_denied_call_does_not_run_and_says_why(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = deny
    ran = []
    with pytest.raises(ActionDenied, match="the script says no") as caught:
        governor(ran.append)([1])
    assert ran == []
    assert plane.outcomes == []
    assert caught.value.reason_code == "rule"
    assert caught.value.tool_name == "append"
    assert caught.value.receipt_id == f"receipt-of-{caught.value.action_id}"


def test_a_modified_call_runs_with_the_new_arguments(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = lambda call: {"decision": "modify", "modified_args": {**call["tool_args"], "amount": 10}}

    @governor
    def wire(amount: int, to: str, *, memo: str = "m", **more: Any) -> tuple[Any, ...]:
        return amount, to, memo, more

    assert wire(99, to="X", extra=1) == (10, "X", "m", {"extra": 1})


def test_a_modify_that_does_not_fit_the_tool_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    ran = []

    @governor
    def put(item: Any) -> None:
        ran.append(item)

    for modified in ({}, {"item": 1, "other": 2}, {"item": "plain text"}):
        plane.script = lambda _, modified=modified: {"decision": "modify", "modified_args": modified}
        with pytest.raises(ActionDenied) as caught:
            put(object())
        assert caught.value.reason_code == "cannot_modify"
    assert ran == []
    assert [o["status"] for o in plane.outcomes] == ["error"] * 3


def test_an_exception_is_reported_and_raised_on(governor: Governor, plane: ScriptedPlane) -> None:
    @governor(tool="disk.write")
    def write() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert plane.outcomes[0]["status"] == "error"
    assert plane.outcomes[0]["error"] == "OSError: disk full"
    assert plane.calls[0]["tool_name"] == "disk.write"


async def test_coroutines_are_governed_without_blocking_the_loop(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    async def fetch(url: str) -> str:
        await asyncio.sleep(0)
        return url.upper()

    assert await asyncio.gather(*(fetch(f"u{n}") for n in range(20))) == [f"U{n}" for n in range(20)]
    assert len(plane.outcomes) == 20
    assert len({call["action_id"] for call in plane.calls}) == 20


async def test_a_cancelled_coroutine_is_concluded_as_an_error(governor: Governor, plane: ScriptedPlane) -> None:
    started = asyncio.Event()

    @governor
    async def slow() -> None:
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(slow())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert plane.outcomes[0]["status"] == "error"
    assert "CancelledError" in plane.outcomes[0]["error"]


def test_streams_are_decided_before_the_first_item(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    def count(to: int) -> Iterator[int]:
        yield from range(to)

    assert list(count(3)) == [0, 1, 2]
    assert plane.outcomes[0]["result"] == [0, 1, 2]
    for item in count(5):
        if item == 1:
            break
    plane.script = deny
    with pytest.raises(ActionDenied):
        next(count(3))


async def test_async_streams_are_decided_before_the_first_item(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    async def count(to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    assert [item async for item in count(3)] == [0, 1, 2]
    assert plane.outcomes[0]["result"] == [0, 1, 2]
    plane.script = deny
    with pytest.raises(ActionDenied):
        await anext(count(3))


def test_methods_are_governed_without_their_receiver(governor: Governor, plane: ScriptedPlane) -> None:
    class Mailer:
        def __init__(self) -> None:
            self.sent: list[str] = []

        @governor
        def send(self, to: str) -> None:
            self.sent.append(to)

        @governor
        @classmethod
        def make(cls, name: str) -> str:
            return cls.__name__ + name

        @governor
        @staticmethod
        def plain(x: int) -> int:
            return x

        def __call__(self, x: int) -> int:
            return x

    mailer = Mailer()
    mailer.send("a@b.c")
    assert (Mailer.make("!"), Mailer.plain(2), mailer.sent) == ("Mailer!", 2, ["a@b.c"])
    assert governor(mailer)(3) == 3
    assert governor(functools.partial(pow, 2))(8) == 256
    assert [call["tool_args"] for call in plane.calls] == [
        {"to": "a@b.c"},
        {"name": "!"},
        {"x": 2},
        {"x": 3},
        {"base": 2, "exp": 8, "mod": None},
    ]
    assert plane.calls[3]["tool_name"] == "Mailer"
    assert plane.calls[4]["tool_name"] == "pow"


def test_what_cannot_be_governed_is_refused_at_once(governor: Governor) -> None:
    with pytest.raises(TypeError, match="cannot be governed"):
        governor(dict)
    with pytest.raises(TypeError, match="no signature"):
        governor(getattr)
    with pytest.raises(TypeError, match="takes no tool_name; it takes tool, operation"):
        governor(tool_name="misspelt")  # type: ignore[call-overload]


def test_a_call_that_does_not_fit_the_tool_is_a_type_error(governor: Governor, plane: ScriptedPlane) -> None:
    with pytest.raises(TypeError):
        governor(lambda x: x)()
    assert plane.calls == []


def test_a_plain_function_that_returns_an_awaitable_is_refused(governor: Governor, plane: ScriptedPlane) -> None:
    async def effect() -> None:
        raise AssertionError("ran")

    def plain() -> Any:
        return effect()

    with pytest.raises(TypeError, match="awaitable"):
        governor(plain)()


def test_a_block_is_an_action_too(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = lambda _: {"decision": "modify", "modified_args": {"limit": 1}}
    with governor.action("db.query", {"limit": 100}, operation="read") as action:
        action.result = list(range(action.args["limit"]))
    assert plane.calls[0]["operation"] == "read"
    assert plane.outcomes[0]["result"] == [0]


def test_a_lost_answer_is_asked_for_again_with_the_same_id(governor: Governor, plane: ScriptedPlane) -> None:
    ran = []
    plane.drop = ["decide", "conclude"]
    governor(ran.append)(1)
    assert ran == [1]
    assert len({call["action_id"] for call in plane.calls}) == 1


def test_a_permit_that_was_spent_before_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = lambda _: {"decision": "allow", "permit": None}
    ran = []
    with pytest.raises(ActionDenied) as caught:
        governor(ran.append)(1)
    assert caught.value.reason_code == "permit_spent"
    assert ran == []


def test_an_answer_about_another_action_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = lambda _: {"decision": "allow", "action_id": "another"}
    with pytest.raises(ActionDenied) as caught:
        governor(lambda: None)()
    assert caught.value.reason_code == "answer_mismatch"


def test_no_control_plane_means_no(tmp_path: Path) -> None:
    ran = []
    for settings in (
        {"url": "http://127.0.0.1:9"},
        {"socket": str(tmp_path / "nobody.sock")},
        {"url": "ftp://somewhere"},
        {},
    ):
        with pytest.raises(ControlPlaneUnreachable):
            Governor(**settings)(ran.append)(1)
    assert ran == []


def test_an_outcome_that_cannot_be_recorded_warns_or_raises_and_never_reruns(tmp_path: Path) -> None:
    plane = ScriptedPlane()
    for how in ("warn", "raise"):
        ran = []
        with plane.uds(tmp_path / "s") as path:
            governor = Governor(socket=path, on_unrecorded=how)

            def effect(ran: list[int] = ran) -> str:
                ran.append(1)
                plane.drop = ["conclude"] * 3
                return "done"

            if how == "warn":
                with pytest.warns(OutcomeNotRecorded):
                    assert governor(effect)() == "done"
            else:
                with pytest.raises(OutcomeNotRecorded):
                    governor(effect)()
            governor.close()
        assert ran == [1]


def test_the_key_shows_nowhere() -> None:
    governor = Governor(url="http://127.0.0.1:9", api_key="mutx_secret")
    with pytest.raises(ActionDenied) as caught:
        governor(allow)({})
    for shown in (repr(governor), str(caught.value), repr(caught.value), repr(caught.value.__cause__)):
        assert "mutx_secret" not in shown


def test_a_modified_method_keeps_its_receiver_and_falls_back_on_its_defaults(
    governor: Governor, plane: ScriptedPlane
) -> None:
    class Mailer:
        @governor
        def send(self, to: str, subject: str = "none") -> tuple[Any, ...]:
            return self, to, subject

    plane.script = lambda _: {"decision": "modify", "modified_args": {"to": "dana@office.example"}}
    mailer = Mailer()
    assert mailer.send("x@elsewhere.example", subject="secret") == (mailer, "dana@office.example", "none")


def test_a_name_given_twice_cannot_be_governed(governor: Governor, plane: ScriptedPlane) -> None:
    ran = []

    @governor
    def put(item: int, /, **rest: int) -> None:
        ran.append((item, rest))

    with pytest.raises(TypeError, match="item: given twice"):
        put(1, item=2)
    assert (ran, plane.calls) == ([], [])


def test_a_modify_that_does_not_say_to_what_runs_nothing(governor: Governor, plane: ScriptedPlane) -> None:
    plane.script = lambda _: {"decision": "modify"}
    ran = []
    with pytest.raises(ActionDenied, match="does not say to what") as caught:
        governor(ran.append)(1)
    assert (ran, caught.value.reason_code) == ([], "answer_mismatch")


async def test_of_a_long_stream_the_outcome_keeps_the_beginning(governor: Governor, plane: ScriptedPlane) -> None:
    @governor
    def count(to: int) -> Iterator[int]:
        yield from range(to)

    @governor
    async def acount(to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    assert sum(1 for _ in count(STREAM_ITEMS + 1)) == STREAM_ITEMS + 1
    assert [item async for item in acount(STREAM_ITEMS + 1)][-1] == STREAM_ITEMS
    assert [outcome["result"] for outcome in plane.outcomes] == [list(range(STREAM_ITEMS))] * 2


async def test_a_plain_function_that_returns_a_future_is_refused(governor: Governor, plane: ScriptedPlane) -> None:
    promised = asyncio.get_running_loop().create_future()
    with pytest.raises(TypeError, match="awaitable"):
        governor(lambda: promised)()
    assert not promised.done()
    assert plane.outcomes[0]["status"] == "error"


def test_an_action_has_no_arguments_to_run_with_before_it_is_allowed(governor: Governor, plane: ScriptedPlane) -> None:
    action = governor.action("db.query", {"limit": 100})
    with pytest.raises(RuntimeError, match="not been allowed yet"):
        _ = action.args
    with action:
        assert action.args == {"limit": 100}


def test_a_governor_is_pointed_elsewhere_at_any_time(tmp_path: Path) -> None:
    first, second = ScriptedPlane(), ScriptedPlane()
    governor = Governor(EmbeddedTransport(server=first), agent_id="bot")
    tell = governor(tool="tell")(lambda text: text)
    tell("one")
    with pytest.raises(TypeError, match="unknown settings: sokket"):
        governor.configure(sokket="/s")
    tell("two")
    with second.uds(tmp_path / "s") as path:
        governor.configure(socket=path, agent_id="other")
        tell("three")
        governor.close()
    assert [(call["agent_id"], call["tool_args"]["text"]) for call in first.calls + second.calls] == [
        ("bot", "one"),
        ("bot", "two"),
        ("other", "three"),
    ]


def test_a_session_that_is_left_twice_leaves_the_outer_one_alone(governor: Governor, plane: ScriptedPlane) -> None:
    ping = governor(tool="ping")(lambda: None)
    with governor.session() as outer:
        with governor.session() as inner:
            ping()
        inner.__exit__(None, None, None)
        ping()
    assert [call["session_id"] for call in plane.calls] == [inner.session_id, outer.session_id]


async def test_an_outcome_that_a_coroutine_cannot_record_warns(plane: ScriptedPlane, tmp_path: Path) -> None:
    with plane.uds(tmp_path / "s") as path:
        governor = Governor(socket=path, on_unrecorded="warn")

        async def effect() -> str:
            plane.drop = ["conclude"] * 3
            return "done"

        with pytest.warns(OutcomeNotRecorded):
            assert await governor(effect)() == "done"
        governor.close()


def test_a_control_plane_that_is_not_ready_yet_is_asked_again(governor: Governor, plane: ScriptedPlane) -> None:
    def starting(call: Json) -> Json:
        plane.script = allow
        raise Refusal("unavailable", "it is starting")

    plane.script, ran = starting, []
    governor(ran.append)(1)
    assert ran == [1]
    assert len({call["action_id"] for call in plane.calls}) == 1
