"""LangChain agents (`create_agent`, which is LangGraph) with a scripted chat model."""

from typing import Any, ClassVar

from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool

from mutx_agent import Governor
from mutx_agent.adapters.langchain import GovernMiddleware
from tests.frameworks.driver import Driver, Scenario
from tests.frameworks.world import World


class ScriptedChat(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


class LangChainDriver(Driver):
    name = "langchain"
    distributions = ("langchain", "langchain-core", "langgraph")
    hook = "AgentMiddleware.wrap_tool_call and awrap_tool_call; ToolNode(wrap_tool_call=, awrap_tool_call=)"
    patch = "langchain_core.tools.BaseTool.run and arun"
    absent: ClassVar = {"hook:nested": "middleware sees what the model calls, not what a tool's own code runs"}
    handoff_tools = frozenset({"delegate"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return _told(self._agent(scenario, world, governor).invoke({"messages": [("user", "write the note")]}))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent, question = self._agent(scenario, world, governor), {"messages": [("user", "write the note")]}
        if scenario.mode != "stream":
            return _told(await agent.ainvoke(question))
        return _told([state async for state in agent.astream(question, stream_mode="values")][-1])

    def _agent(self, scenario: Scenario, world: World, governor: Governor | None) -> Any:
        tools = [self._put(scenario, world)]
        if scenario.nested:
            tools.append(_relay(tools[0]))
        # The retry goes outside, so that each attempt is a call of its own to the governor.
        middleware: list[Any] = [ToolRetryMiddleware(max_retries=1, initial_delay=0)] if scenario.flaky else []
        if governor is not None:
            middleware.append(GovernMiddleware(governor))
        agent: Any = create_agent(_model(scenario), tools, middleware=middleware)
        return _delegating(agent, middleware) if scenario.handoff else agent

    def _put(self, scenario: Scenario, world: World) -> Any:
        body = self.put_of(scenario, world)
        given = {"coroutine": body} if scenario.coroutines else {"func": body}
        return StructuredTool.from_function(**given, name="put")


def _relay(put: Any) -> Any:
    async def relay(key: str, text: str) -> str:
        """Pass it on."""
        return str(await put.ainvoke({"key": key, "text": text}))

    return StructuredTool.from_function(coroutine=relay, name="relay")


def _delegating(worker: Any, middleware: list[Any]) -> Any:
    """A supervisor whose only tool is the worker agent."""

    async def delegate(task: str) -> str:
        """Have the worker do it."""
        return " / ".join(_told(await worker.ainvoke({"messages": [("user", task)]})))

    asks = AIMessage("", tool_calls=[{"name": "delegate", "args": {"task": "write it"}, "id": "call-0"}])
    chat = ScriptedChat(messages=iter([asks, AIMessage("done")]))
    tool = StructuredTool.from_function(coroutine=delegate, name="delegate")
    return create_agent(chat, [tool], middleware=middleware)


def _model(scenario: Scenario) -> ScriptedChat:
    asked = (
        AIMessage("", tool_calls=[{"name": c.tool, "args": c.args, "id": f"{t}-{n}"} for n, c in enumerate(calls)])
        for t, calls in enumerate(scenario.turns)
    )
    return ScriptedChat(messages=iter([*asked, AIMessage("done")]))


def _told(state: Any) -> list[str]:
    assert state["messages"][-1].content == "done"
    return [str(message.content) for message in state["messages"] if isinstance(message, ToolMessage)]


DRIVER = LangChainDriver()
