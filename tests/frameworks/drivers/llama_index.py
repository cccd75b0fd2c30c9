"""LlamaIndex: `FunctionAgent` and `AgentWorkflow` with its own mock of a function calling model."""

from collections.abc import Iterator
from typing import Any, ClassVar

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.tools import FunctionTool

from mutx_agent import Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class LlamaIndexDriver(Driver):
    name = "llama_index"
    distributions = ("llama-index-core",)
    patch = "call and acall of every llama_index.core.tools.types.AsyncBaseTool, __call__ of other BaseTools"
    absent: ClassVar = {}
    handoff_tools = frozenset({"handoff"})
    out_of_reach = "what a CodeActAgent's code does inside its executor: the call of `execute` itself is decided"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        """Its agents are asynchronous; the synchronous way is a model that picks tools and calls them."""
        model, tools = _model(_turns(scenario)), self._tools(scenario, world)
        answer = model.predict_and_call(tools, user_msg="write the note", allow_parallel_tool_calls=True)
        return [str(output.content) for output in answer.sources]

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        model, tools = _model(_turns(scenario)), self._tools(scenario, world)
        streaming = scenario.mode == "stream"
        worker = FunctionAgent(name="worker", description="Writes.", tools=tools, llm=model, streaming=streaming)
        agent: Any = worker
        if scenario.handoff:
            over = Call("handoff", {"to_agent": "worker", "reason": "it writes"})
            first = FunctionAgent(
                name="first", description="Asks.", llm=_model([[over]]), streaming=False, can_handoff_to=["worker"]
            )
            agent = AgentWorkflow(agents=[first, worker], root_agent="first")
        handler = agent.run("write the note")
        told = [str(e.tool_output.content) async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
        assert str(await handler) == "done"
        return told

    def _tools(self, scenario: Scenario, world: World) -> list[Any]:
        body = self.put_of(scenario, world)
        given = {"async_fn": body} if scenario.coroutines else {"fn": body}
        put = FunctionTool.from_defaults(**given, name="put")

        async def relay(key: str, text: str) -> str:
            """Pass it on."""
            return str(await put.acall(key=key, text=text))

        return [put, FunctionTool.from_defaults(async_fn=relay, name="relay")] if scenario.nested else [put]


def _turns(scenario: Scenario) -> list[list[Call]]:
    """Where a tool has failed, the model asks again."""
    return scenario.turns * (2 if scenario.flaky else 1)


def _model(turns: list[list[Call]]) -> MockFunctionCallingLLM:
    answers = _answers(turns)
    return MockFunctionCallingLLM(response_generator=lambda messages, **options: next(answers), is_chat_model=True)


def _answers(turns: list[list[Call]]) -> Iterator[ChatMessage]:
    for turn, calls in enumerate(turns):
        blocks = [
            ToolCallBlock(tool_call_id=f"{turn}-{n}", tool_name=call.tool, tool_kwargs=dict(call.args))
            for n, call in enumerate(calls)
        ]
        yield ChatMessage(role="assistant", blocks=blocks)
    yield ChatMessage(role="assistant", content="done")


DRIVER = LlamaIndexDriver()
