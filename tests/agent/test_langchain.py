"""The LangChain adapter inside the real framework, with a scripted model."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph

from mutx_agent import ActionDenied, Governor, hooks
from mutx_agent.adapters.langchain import GovernMiddleware, governed_tool_node
from mutx_agent.hooks import ADAPTERS, HookNotProved, prove
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane, ask, deny


class Scripted(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


def model(*calls: dict[str, Any]) -> Scripted:
    asks = [{"id": f"call-{n}", **call} for n, call in enumerate(calls)]
    return Scripted(messages=iter([AIMessage("", tool_calls=asks), AIMessage("done")]))


@pytest.fixture
def sent() -> list[tuple[int, str]]:
    return []


@pytest.fixture
def tools(sent: list[tuple[int, str]]) -> list[Any]:
    @tool
    def wire(amount: int, to: str = "ACME") -> str:
        """Send money."""
        if amount > 1000:
            raise ValueError("too much for the bank")
        sent.append((amount, to))
        return f"sent {amount}"

    return [wire]


@pytest.fixture
def governor(plane: ScriptedPlane) -> Iterator[Governor]:
    return Governor(EmbeddedTransport(server=plane), agent_id="bot")


def answers(state: dict[str, Any]) -> list[ToolMessage]:
    return [m for m in state["messages"] if isinstance(m, ToolMessage)]


async def run(agent: Any, how: str, **config: Any) -> dict[str, Any]:
    question = {"messages": [("user", "pay them")]}
    state: dict[str, Any] = await agent.ainvoke(question, config) if how == "async" else agent.invoke(question, config)
    return state


both = pytest.mark.parametrize("how", ["sync", "async"])


@both
async def test_allowed_denied_and_parallel_calls(
    how: str, plane: ScriptedPlane, governor: Governor, tools: list[Any], sent: list[tuple[int, str]]
) -> None:
    plane.script = lambda call: deny(call) if call["tool_args"]["amount"] > 10 else {"decision": "allow"}
    calls = [{"name": "wire", "args": {"amount": amount}} for amount in (5, 500, 7)]
    agent = create_agent(model(*calls), tools, middleware=[GovernMiddleware(governor)])
    first, second, third = answers(await run(agent, how))
    assert sorted(sent) == [(5, "ACME"), (7, "ACME")]
    assert (first.content, third.content) == ("sent 5", "sent 7")
    assert second.status == "error"
    assert "the script says no" in str(second.content)
    assert sorted(outcome["result"] for outcome in plane.outcomes) == ["sent 5", "sent 7"]
    assert {call["original_request"] for call in plane.calls} == {"pay them"}
    assert {(call["trigger"], call["runtime"]) for call in plane.calls} == {("llm", "langgraph")}


@both
async def test_modified_arguments_pass_the_tools_own_validation(
    how: str, plane: ScriptedPlane, governor: Governor, tools: list[Any], sent: list[tuple[int, str]]
) -> None:
    agent = create_agent(
        model({"name": "wire", "args": {"amount": 99}}), tools, middleware=[GovernMiddleware(governor)]
    )
    plane.script = lambda _: {"decision": "modify", "modified_args": {"amount": 1, "to": "ACME"}}
    await run(agent, how)
    assert sent == [(1, "ACME")]
    plane.script = lambda _: {"decision": "modify", "modified_args": {"amount": "a lot"}}
    agent = create_agent(
        model({"name": "wire", "args": {"amount": 99}}), tools, middleware=[GovernMiddleware(governor)]
    )
    (refused,) = answers(await run(agent, how))
    assert refused.status == "error"
    assert len(sent) == 1
    assert plane.outcomes[-1]["status"] == "error"


@both
async def test_nobody_to_decide_means_no(how: str, tools: list[Any], sent: list[tuple[int, str]]) -> None:
    lost = Governor(url="http://127.0.0.1:9")
    agent = create_agent(model({"name": "wire", "args": {"amount": 5}}), tools, middleware=[GovernMiddleware(lost)])
    (refused,) = answers(await run(agent, how))
    assert refused.status == "error"
    assert "cannot be reached" in str(refused.content)
    assert sent == []


@both
async def test_a_waiting_call_that_nobody_answers_does_not_run(
    how: str, plane: ScriptedPlane, governor: Governor, tools: list[Any], sent: list[tuple[int, str]]
) -> None:
    plane.script = ask
    agent = create_agent(
        model({"name": "wire", "args": {"amount": 5}}), tools, middleware=[GovernMiddleware(governor, deadline=0.1)]
    )
    (refused,) = answers(await run(agent, how))
    assert "nobody answered" in str(refused.content)
    assert sent == []


@both
async def test_a_bare_graph_is_governed_through_its_tool_node(
    how: str, plane: ScriptedPlane, governor: Governor, tools: list[Any], sent: list[tuple[int, str]]
) -> None:
    plane.script = lambda call: deny(call) if call["tool_args"]["amount"] > 10 else {"decision": "allow"}
    chat = model({"name": "wire", "args": {"amount": 5}}, {"name": "wire", "args": {"amount": 50}})
    graph = StateGraph(MessagesState)
    graph.add_node("chat", lambda state: {"messages": [chat.invoke(state["messages"])]})
    graph.add_node("tools", governed_tool_node(tools, governor))
    graph.add_edge(START, "chat")
    graph.add_edge("chat", "tools")
    graph.add_edge("tools", END)
    first, second = answers(await run(graph.compile(), how, configurable={"thread_id": "thread-7"}))
    assert (first.status, second.status) == ("success", "error")
    assert sent == [(5, "ACME")]
    assert {call["session_id"] for call in plane.calls} == {"thread-7"}


def test_a_tools_own_failure_is_its_outcome(plane: ScriptedPlane, governor: Governor, tools: list[Any]) -> None:
    chat = model({"name": "wire", "args": {"amount": 5000}})
    node = governed_tool_node(tools, governor, handle_tool_errors=True)
    graph = StateGraph(MessagesState)
    graph.add_node("chat", lambda state: {"messages": [chat.invoke(state["messages"])]})
    graph.add_node("tools", node)
    graph.add_edge(START, "chat")
    graph.add_edge("chat", "tools")
    graph.compile().invoke({"messages": [("user", "x")]})
    assert plane.outcomes[0]["status"] == "error"
    assert "too much for the bank" in plane.outcomes[0]["error"]


def test_every_adapter_is_proved_on_the_installed_version() -> None:
    installed = {name for name, adapter in ADAPTERS.items() if _is_installed(adapter.distribution)}
    assert installed >= {"langchain", "openai_agents", "pydantic_ai", "mcp"}
    for name in sorted(installed):
        assert prove(name).version


async def test_an_adapter_is_proved_on_an_event_loop_too() -> None:
    assert prove("openai_agents").version


def _is_installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


def test_a_hook_that_does_not_hold_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutx_agent.adapters.langchain.probe", lambda governor, spy: spy())
    with pytest.raises(HookNotProved, match="ran 1 times, not 0"):
        prove("langchain")


def test_an_unknown_name_of_the_adapter_is_an_attribute_error() -> None:
    from mutx_agent.adapters import langchain

    with pytest.raises(AttributeError):
        langchain.Nothing  # noqa: B018


async def test_a_tool_that_code_runs_itself_raises_and_text_is_an_argument(
    plane: ScriptedPlane, governor: Governor, sent: list[tuple[int, str]]
) -> None:
    @tool
    def note(text: str) -> str:
        """Write a note."""
        sent.append((0, text))
        return text

    uninstall = hooks.install("langchain", governor)
    try:
        assert note.run("hello") == "hello"
        plane.script = lambda _: {"decision": "modify", "modified_args": {"text": "changed"}}
        assert await note.arun("hello") == "changed"
        plane.script = deny
        with pytest.raises(ActionDenied):
            note.run("hello")
        with pytest.raises(ActionDenied):
            await note.ainvoke({"text": "hello"})
    finally:
        uninstall()
    assert sent == [(0, "hello"), (0, "changed")]
    assert [call["tool_args"] for call in plane.calls] == [{"text": "hello"}] * 4
    assert {call["trigger"] for call in plane.calls} == {"tool"}
