"""Interception of a whole family of classes: overriding methods, classes yet to come, streams."""

import sys
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from mutx_agent import ActionDenied, Governor
from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._family import all_of, patch_family, place_of
from mutx_agent.adapters._patch import HookNotFound
from mutx_agent.adapters._streams import arun_stream
from mutx_agent.transport.embedded import EmbeddedTransport
from mutx_agent.wrap import STREAM_ITEMS
from tests.agent.scripted_plane import ScriptedPlane, deny


class Root:
    def run(self, text: str) -> str:
        raise NotImplementedError


class Loud(Root):
    def run(self, text: str) -> str:
        return text.upper()


class Louder(Loud):
    def run(self, text: str) -> str:
        return super().run(text) + "!"


@pytest.fixture(autouse=True)
def framework(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("family_of_a_test")
    module.Root = Root
    monkeypatch.setitem(sys.modules, "family_of_a_test", module)


@pytest.fixture
def governor(plane: ScriptedPlane) -> Governor:
    return Governor(EmbeddedTransport(server=plane), agent_id="bot")


def deciding(original: Any, gate: Gate) -> Any:
    hook = place_of(original)

    def run(self: Any, text: str) -> Any:
        return gate.run(lambda: ToolUse("say", {"text": text}), lambda _: original(self, text), str, hook=hook)

    return run


def install(governor: Governor, base: str = "family_of_a_test:Root", method: str = "run") -> Any:
    return patch_family("family-of-a-test", "test", governor, base, lambda _: {method: deciding})


def test_every_class_of_the_family_asks_once_for_a_call_until_it_is_uninstalled(
    plane: ScriptedPlane, governor: Governor
) -> None:
    uninstall = install(governor)

    class Later(Root):
        def run(self, text: str) -> str:
            return f"later {text}"

    assert [kind().run("hi") for kind in (Loud, Louder, Later)] == ["HI", "HI!", "later hi"]
    assert len(plane.calls) == 3  # also for the class that calls the one above it
    plane.script = deny
    assert all("the script says no" in kind().run("hi") for kind in (Loud, Louder, Later))
    again = install(governor)
    uninstall()
    assert "the script says no" in Louder().run("hi")
    again()
    assert [kind().run("hi") for kind in (Loud, Louder, Later)] == ["HI", "HI!", "later hi"]


def test_a_family_that_is_gone_refuses(governor: Governor) -> None:
    for base, method in (("family_of_a_test:Gone", "run"), ("family_of_a_test:Root", "gone")):
        with pytest.raises(HookNotFound):
            install(governor, base, method)
    assert Louder().run("hi") == "HI!"


def test_several_installations_are_all_or_none(plane: ScriptedPlane, governor: Governor) -> None:
    with pytest.raises(HookNotFound):
        all_of(lambda: install(governor), lambda: install(governor, "family_of_a_test:Gone"))
    assert Louder().run("hi") == "HI!"
    uninstall = all_of(lambda: install(governor))
    Louder().run("hi")
    uninstall()
    Louder().run("hi")
    assert len(plane.calls) == 1


async def test_a_tool_that_answers_in_parts_is_decided_before_the_first(
    plane: ScriptedPlane, governor: Governor
) -> None:
    gate, ran = Gate("test", governor), []

    async def parts(text: str) -> AsyncIterator[str]:
        for word in text.split():
            ran.append(word)
            yield word

    def stream(text: str) -> AsyncIterator[Any]:
        return arun_stream(
            gate, lambda: ToolUse("say", {"text": text}), lambda changed: parts((changed or {}).get("text", text))
        )

    assert [word async for word in stream("one two")] == ["one", "two"]
    assert plane.outcomes[-1]["result"] == ["one", "two"]
    plane.script = lambda _: {"decision": "modify", "modified_args": {"text": "three"}}
    assert [word async for word in stream("one two")] == ["three"]
    plane.script = deny
    with pytest.raises(ActionDenied):
        [word async for word in stream("one two")]
    assert ran == ["one", "two", "three"]


@pytest.fixture
def nobody(governor: Governor) -> None:
    """Everybody has uninstalled."""
    install(governor)()


@pytest.mark.usefixtures("nobody")
def test_classes_defined_afterwards_are_plain(plane: ScriptedPlane) -> None:
    class Plain(Root):
        def run(self, text: str) -> str:
            return text

    assert Plain().run("hi") == "hi"
    assert plane.calls == []


async def test_a_stream_that_nobody_governs_any_more_passes(plane: ScriptedPlane, governor: Governor) -> None:
    gate = Gate("test", governor)

    async def parts(_: Any) -> AsyncIterator[int]:
        for number in range(STREAM_ITEMS + 1):
            yield number

    def stream() -> AsyncIterator[Any]:
        return arun_stream(gate, lambda: ToolUse("count", {}), parts)

    gate.remove(Governor())  # who never installed it takes nothing away
    assert [item async for item in stream()][-1] == STREAM_ITEMS
    assert plane.outcomes[0]["result"] == list(range(STREAM_ITEMS))
    gate.remove(governor)
    assert [item async for item in stream()][-1] == STREAM_ITEMS
    assert len(plane.calls) == 1


def test_what_a_family_does_with_its_subclasses_it_goes_on_doing(
    plane: ScriptedPlane, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[str] = []

    class Registering:
        def __init_subclass__(cls, **options: Any) -> None:
            known.append(cls.__name__)

        def run(self, text: str) -> str:
            return text

    monkeypatch.setattr(sys.modules["family_of_a_test"], "Root", Registering)
    uninstall = install(governor)

    class Second(Registering):
        def run(self, text: str) -> str:
            return text * 2

    assert (Second().run("a"), known, len(plane.calls)) == ("aa", ["Second"], 1)
    uninstall()
