"""Interception in a family of tool classes, told on a small framework made of plain classes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from mutx_agent import ActionDenied, Governor
from mutx_agent.adapters._arguments import named, with_changes
from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._family import all_of, patch_family, place_of
from mutx_agent.adapters._patch import HookNotFound, Uninstall
from mutx_agent.adapters._streams import PartsCall, arun_parts, arun_stream, run_parts
from mutx_agent.transport.base import Json, Transport


class Deciding(Transport):
    """Answers as told, and keeps what it was asked."""

    def __init__(self, decision: str = "allow", **answer: Any) -> None:
        self.answer = {"decision": decision, "reason": "the story says so", "permit": "one", "receipt_id": "", **answer}
        self.asked: list[tuple[str, Json]] = []

    def call(self, verb: str, body: Json) -> Json:
        self.asked.append((verb, body))
        return {**body, **self.answer}

    def of(self, verb: str) -> list[Json]:
        return [body for asked, body in self.asked if asked == verb]


class Base:
    """What a framework's tools have in common: nothing that runs."""

    name = "base"


class Writes(Base):
    name = "writes"

    def call(self, text: str) -> str:
        return f"wrote {text}"


class Doubles(Writes):
    """Overrides what it calls: one call passes two hooks."""

    name = "doubles"

    def call(self, text: str) -> str:
        return super().call(text) * 2


@pytest.fixture
def framework() -> Iterator[str]:
    module = ModuleType("a_small_framework")
    vars(module).update(Base=Base, Writes=Writes)
    sys.modules[module.__name__] = module
    yield f"{module.__name__}:Base"
    del sys.modules[module.__name__]


def _asking(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    def call(self: Any, text: str) -> Any:
        def execute(changed: Json | None) -> Any:
            return original(self, text if changed is None else changed["text"])

        return gate.run(lambda: ToolUse(self.name, {"text": text}), execute, str, hook=place)

    return call


def install(point: str, transport: Transport, **options: Any) -> Uninstall:
    return patch_family("pytest", "story", Governor(transport), point, lambda owner: {"call": _asking}, **options)


def test_every_class_of_the_family_asks_once_and_is_given_back(framework: str) -> None:
    door = Deciding()
    uninstall = install(framework, door)
    assert Doubles().call("x") == "wrote xwrote x"
    assert [body["tool_name"] for body in door.of("decide")] == ["doubles"]
    assert door.of("conclude")[0]["result"] == "wrote xwrote x"
    uninstall()
    uninstall()
    assert Doubles().call("x") == "wrote xwrote x"
    assert len(door.of("decide")) == 1
    assert "__init_subclass__" not in vars(Base)


def test_a_class_that_comes_later_asks_too(framework: str) -> None:
    door = Deciding("deny")
    uninstall = install(framework, door)

    class Later(Base):
        name = "later"

        def call(self, text: str) -> str:
            raise AssertionError("ran")

    class LaterStill(Later, Writes):
        pass

    assert "the story says so" in Later().call("x")
    assert "the story says so" in LaterStill().call("x")
    uninstall()
    with pytest.raises(AssertionError):
        Later().call("x")


def test_a_second_installation_decides_until_it_is_taken_back(framework: str) -> None:
    first, second = Deciding(), Deciding("deny")
    outer, inner = install(framework, first), install(framework, second)
    assert "not run" in Writes().call("x")
    inner()
    assert Writes().call("x") == "wrote x"
    assert (len(first.of("decide")), len(second.of("decide"))) == (1, 1)
    outer()


def test_changed_arguments_are_the_ones_that_run(framework: str) -> None:
    uninstall = install(framework, Deciding("modify", modified_args={"text": "y"}))
    assert Writes().call("x") == "wrote y"
    uninstall()


@pytest.mark.parametrize(
    ("point", "options"),
    [
        ("a_small_framework:Gone", {}),
        ("no_such_framework:Base", {}),
        ("a_small_framework:Base", {"module": "a_small_framework.gone"}),
    ],
)
def test_a_framework_without_the_place_is_refused(framework: str, point: str, options: dict[str, Any]) -> None:
    with pytest.raises(HookNotFound, match="pytest"):
        install(point, Deciding(), **options)


def test_a_family_without_the_method_is_refused_and_left_as_it_was(framework: str) -> None:
    undone: list[str] = []

    def fails() -> Uninstall:
        return patch_family("pytest", "story", None, framework, lambda owner: {"gone": _asking})

    with pytest.raises(HookNotFound, match="gone"):
        all_of(lambda: lambda: undone.append("first"), fails)
    assert undone == ["first"]
    assert "__init_subclass__" not in vars(Base)


class Unwritable:
    """A value that has no JSON form."""


def test_objects_pass_a_policy_and_come_back_as_themselves() -> None:
    kept = Unwritable()
    given = named(["where", "what"], ["here", kept, 3], {"how": "well"})
    assert list(given) == ["where", "what", "argument_2", "how"]
    sent = {**given, "what": Governor(Deciding()).action("t", {}).tool_name}
    assert with_changes("t", given, {**_json(given), "where": "there"})["what"] is kept
    with pytest.raises(ActionDenied, match="cannot_modify"):
        with_changes("t", given, {**_json(given), "what": sent["what"]})


def _json(given: dict[str, Any]) -> Json:
    from mutx_agent.values import to_json

    made: Json = to_json(given)
    return made


def _whole(action: Any, answer: Any, rest: Callable[[Any], Any]) -> Any:
    if isinstance(answer, str):
        action.result = answer
        return answer
    return rest(answer)


class TestAnswersInParts:
    """Decided before the first part, concluded after the last, with the parts."""

    def use(self) -> ToolUse:
        return ToolUse("counts", {"to": 2})

    def call(self, execute: Callable[[Json | None], Any]) -> PartsCall:
        return PartsCall(self.use, execute, _refused, _whole)

    def parts(self, changed: Json | None) -> Iterator[int]:
        yield from range((changed or {"to": 2})["to"])

    async def aparts(self, changed: Json | None) -> AsyncIterator[int]:
        for number in self.parts(changed):
            yield number

    def test_plain(self) -> None:
        door = Deciding("modify", modified_args={"to": 3})
        items = run_parts(Gate("story", Governor(door)), self.call(self.parts))
        assert not door.of("conclude")
        assert list(items) == [0, 1, 2]
        assert door.of("conclude")[0]["result"] == [0, 1, 2]

    def test_an_answer_in_one_piece(self) -> None:
        door = Deciding()
        assert run_parts(Gate("story", Governor(door)), self.call(lambda changed: "all")) == "all"
        assert door.of("conclude")[0]["result"] == "all"

    def test_what_fails_on_the_way_is_concluded_as_an_error(self) -> None:
        door = Deciding()

        def breaks(changed: Json | None) -> Iterator[int]:
            yield 1
            raise OSError("the disk is full")

        items = run_parts(Gate("story", Governor(door)), self.call(breaks))
        with pytest.raises(OSError, match="full"):
            list(items)
        assert "the disk is full" in door.of("conclude")[0]["error"]

    def test_a_denied_one_starts_nothing(self) -> None:
        gate = Gate("story", Governor(Deciding("deny")))
        assert next(run_parts(gate, self.call(self.parts)._replace(refuse=lambda denial: iter([7])))) == 7

        async def story() -> None:
            async def starts(changed: Json | None) -> Any:
                return self.aparts(changed)

            refused = await arun_parts(gate, self.call(starts))
            assert "not run" in refused
            with pytest.raises(ActionDenied):
                [part async for part in arun_stream(gate, self.use, self.aparts)]

        asyncio.run(story())

    def test_asynchronous(self) -> None:
        door = Deciding()
        gate = Gate("story", Governor(door))

        async def starts(changed: Json | None) -> Any:
            return self.aparts(changed)

        async def answers(changed: Json | None) -> Any:
            return "all"

        async def story() -> None:
            items = await arun_parts(gate, self.call(starts))
            assert [part async for part in items] == [0, 1]
            assert [part async for part in arun_stream(gate, self.use, self.aparts)] == [0, 1]
            assert await arun_parts(gate, self.call(answers)) == "all"

        asyncio.run(story())
        assert [body["result"] for body in door.of("conclude")] == [[0, 1], [0, 1], "all"]

    def test_where_nobody_governs_parts_pass(self) -> None:
        governor = Governor(Deciding())
        gate = Gate("story", governor)
        gate.remove(governor)

        async def story() -> None:
            async def starts(changed: Json | None) -> Any:
                return self.aparts(changed)

            assert [part async for part in arun_stream(gate, self.use, self.aparts)] == [0, 1]
            assert [part async for part in await arun_parts(gate, self.call(starts))] == [0, 1]

        assert list(run_parts(gate, self.call(self.parts))) == [0, 1]
        asyncio.run(story())


def _refused(denial: ActionDenied) -> Any:
    return str(denial)
