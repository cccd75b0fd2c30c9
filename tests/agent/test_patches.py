"""Zero-code interception: what it replaces, who decides, and what is left when it is taken back."""

import logging
import sys
import threading
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mutx_agent import ActionDenied, Governor, hooks
from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._patch import HookNotFound, installed, patch, run_aside
from mutx_agent.adapters._probes import nothing, quiet, replaced
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane, deny


class Base:
    def run(self, text: str) -> str:
        return text.upper()

    @classmethod
    def made(cls, text: str) -> str:
        return f"{cls.__name__} {text}"


class Child(Base):
    """Inherits what is replaced."""


POINTS = ("framework_of_a_test:Child.run", "framework_of_a_test:Base.made")


@pytest.fixture(autouse=True)
def framework(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("framework_of_a_test")
    module.Base, module.Child = Base, Child
    monkeypatch.setitem(sys.modules, "framework_of_a_test", module)


def deciding(original: Any, gate: Gate) -> Any:
    def replacement(self: Any, text: str) -> Any:
        def execute(changed: Any) -> Any:
            return original(self, changed["text"] if changed else text)

        return gate.run(lambda: ToolUse("say", {"text": text}), execute, str)

    return replacement


def install(governor: Governor | None = None) -> Any:
    return patch("framework-of-a-test", "test", governor, dict.fromkeys(POINTS, deciding))


@pytest.fixture
def governor(plane: ScriptedPlane) -> Governor:
    return Governor(EmbeddedTransport(server=plane), agent_id="bot")


def test_what_is_replaced_decides_and_is_put_back(plane: ScriptedPlane, governor: Governor) -> None:
    uninstall = install(governor)
    assert Child().run("hi") == "HI"
    assert Child.made("hi") == "Child hi"
    plane.script = deny
    assert "the script says no" in Child().run("hi")
    assert Base().run("hi") == "HI"
    assert len(plane.calls) == 3
    uninstall()
    uninstall()
    assert Child().run("hi") == "HI"
    assert "run" not in vars(Child)
    assert len(plane.calls) == 3


def test_the_last_who_installed_decides_and_nothing_is_wrapped_twice(plane: ScriptedPlane, governor: Governor) -> None:
    second = ScriptedPlane(deny)
    uninstall = install(governor)
    other = install(Governor(EmbeddedTransport(server=second), agent_id="other"))
    assert "the script says no" in Child().run("hi")
    uninstall()
    assert "the script says no" in Child().run("hi")
    other()
    assert Child().run("hi") == "HI"
    assert plane.calls == []
    assert len(second.calls) == 2


def test_a_wrapper_that_somebody_put_over_ours_stays_and_lets_calls_pass(
    plane: ScriptedPlane, governor: Governor
) -> None:
    uninstall = install(governor)
    ours = Child.run
    Child.run = lambda self, text: f"<{ours(self, text)}>"  # type: ignore[method-assign]
    plane.script = deny
    assert "the script says no" in Child().run("hi")
    uninstall()
    assert Child().run("hi") == "<HI>"
    del Child.run


def test_a_place_that_is_gone_refuses_and_replaces_nothing(governor: Governor) -> None:
    with pytest.raises(HookNotFound, match=r"\(not installed\) has no framework_of_a_test:Child.gone") as refused:
        patch(
            "framework-of-a-test", "test", governor, {POINTS[0]: deciding, "framework_of_a_test:Child.gone": deciding}
        )
    assert refused.value.missing == "framework_of_a_test:Child.gone"
    with pytest.raises(HookNotFound, match="langchain-core 1"):
        patch("langchain-core", "test", governor, {"langchain_core.gone:Tool.run": deciding})
    assert "run" not in vars(Child)


def test_a_proof_decides_for_its_own_calls_only(plane: ScriptedPlane, governor: Governor) -> None:
    uninstall = install(governor)
    proof = ScriptedPlane(deny)
    elsewhere: list[str] = []
    start, done = threading.Event(), threading.Event()

    def work() -> None:
        start.wait(30)
        elsewhere.append(Child().run("real"))
        done.set()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    with installed(lambda _: lambda: None, Governor(EmbeddedTransport(server=proof), agent_id="proof")):
        assert "the script says no" in Child().run("proved")
        start.set()
        assert done.wait(30)
    assert elsewhere == ["REAL"]
    assert [call["tool_args"] for call in plane.calls] == [{"text": "real"}]
    uninstall()


def test_a_hook_that_breaks_denies(plane: ScriptedPlane, governor: Governor) -> None:
    def broken() -> ToolUse:
        raise AttributeError("the framework has changed")

    told = Gate("test", governor).run(broken, lambda _: "ran", str)
    assert "hook_failed" in told
    assert plane.calls == []


async def test_the_same_call_is_decided_once_and_another_one_by_itself(
    plane: ScriptedPlane, governor: Governor
) -> None:
    gate, inner = Gate("test", governor), Gate("test", governor)

    def use(text: str) -> ToolUse:
        return ToolUse("say", {"text": text})

    def twice(_: Any) -> list[str]:
        return [inner.run(lambda: use("hi"), lambda _: "ran", str) for _ in range(2)]

    gate.run(lambda: use("hi"), twice, lambda denial: [str(denial)])
    assert len(plane.calls) == 2  # the inner hook lets the call pass once; the second one is another call
    assert plane.calls[1]["parent_action_id"] == plane.calls[0]["action_id"]
    gate.run(lambda: use("hi"), lambda _: inner.run(lambda: use("ho"), lambda _: "ran", str), str)
    assert len(plane.calls) == 4

    async def execute(_: Any) -> str:
        return await inner.arun(lambda: use("hi"), ran, str)

    async def ran(_: Any) -> str:
        return "ran"

    assert await gate.arun(lambda: use("hi"), execute, str) == "ran"
    assert len(plane.calls) == 5


def test_a_nested_call_stays_in_the_session_of_the_call_around_it(plane: ScriptedPlane, governor: Governor) -> None:
    gate = Gate("test", governor)

    def nested(_: Any) -> str:
        return gate.run(lambda: ToolUse("inner", "just text", session_id="another"), lambda _: "ran", str)

    gate.run(lambda: ToolUse("outer", {}, session_id="thread-1", original_request="x" * 9000), nested, str)
    assert [call["session_id"] for call in plane.calls] == ["thread-1", "thread-1"]
    assert len(plane.calls[0]["original_request"]) == 8000
    assert plane.calls[1]["tool_args"] == {"input": "just text"}


def test_what_a_coroutine_raises_aside_is_raised_here() -> None:
    async def fails() -> None:
        raise ActionDenied("no")

    with pytest.raises(ActionDenied):
        run_aside(fails)


@pytest.fixture
def unknown_framework(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    row = hooks.Adapter("no-such-distribution", "mutx_agent.adapters.langchain", "nothing")
    monkeypatch.setattr(hooks, "ADAPTERS", {"unknown": row})
    return "unknown"


def test_a_framework_that_is_not_installed_is_an_import_error(unknown_framework: str) -> None:
    for use in (hooks.install, hooks.prove):
        with pytest.raises(ImportError, match="pip install no-such-distribution"):
            use(unknown_framework)


def test_an_adapter_without_an_official_hook_proves_its_interception(monkeypatch: pytest.MonkeyPatch) -> None:
    probing = SimpleNamespace(probe_installed=lambda governor, spy: governor(tool="probed")(spy)())
    monkeypatch.setattr(hooks, "_module", lambda name: probing)
    with pytest.raises(ActionDenied):  # this probe lets the denial out, which no adapter may do
        hooks.prove("langchain")


def test_a_probe_leaves_its_framework_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    framework = SimpleNamespace(send=len, show=print)
    log = logging.getLogger("framework_of_a_test")

    def refused() -> None:
        with quiet(log.name), replaced(framework, send=nothing):
            log.getChild("part").error("refused")
            raise LookupError(framework.send("anything", at="all"))

    with pytest.raises(LookupError, match="None"):
        refused()
    assert framework == SimpleNamespace(send=len, show=print)
    log.error("heard again")
    assert caplog.messages == ["heard again"]
