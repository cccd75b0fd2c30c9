"""AutoGen: `AssistantAgent` and `Swarm` with its own replaying model."""

import asyncio
import json
from typing import Any, ClassVar

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.messages import ToolCallExecutionEvent
from autogen_agentchat.teams import Swarm
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_core.tools import FunctionTool, StaticWorkbench
from autogen_ext.models.replay import ReplayChatCompletionClient

from mutx_agent import Governor
from mutx_agent.adapters.autogen import GovernWorkbench
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

ABLE = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)


class AutoGenDriver(Driver):
    name = "autogen"
    distributions = ("autogen-agentchat", "autogen-core", "autogen-ext")
    hook = "a workbench around yours (`GovernWorkbench`)"
    patch = "run_json, run and their streams of every autogen_core.tools.BaseTool; call_tool of other workbenches"
    absent: ClassVar = {
        "sync": "tools and agents are asynchronous",
        "hook:handoff": "hand-offs are tools of the agent itself and pass no workbench",
    }
    handoff_tools = frozenset({"transfer_to_worker"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return asyncio.run(self.arun(scenario, world, governor))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        streaming = scenario.mode == "stream"
        worker = AssistantAgent(
            "worker",
            # Where a tool has failed, the model asks again.
            _model(scenario.turns * (2 if scenario.flaky else 1)),
            workbench=self._workbench(scenario, world, governor),
            model_client_stream=streaming,
            max_tool_iterations=5,
        )
        team: Any = worker
        if scenario.handoff:
            first = AssistantAgent(
                "first", _model([[Call("transfer_to_worker", {})]]), handoffs=["worker"], max_tool_iterations=2
            )
            team = Swarm([first, worker], termination_condition=TextMentionTermination("done"))
        if streaming:
            messages = [message async for message in team.run_stream(task="write the note")][-1].messages
        else:
            messages = (await team.run(task="write the note")).messages
        assert messages[-1].content == "done"
        events = [message for message in messages if isinstance(message, ToolCallExecutionEvent)]
        return [str(result.content) for event in events for result in event.content]

    def _workbench(self, scenario: Scenario, world: World, governor: Governor | None) -> Any:
        put = FunctionTool(self.put_of(scenario, world), "Write a note.", name="put")

        async def relay(key: str, text: str) -> str:
            """Pass it on."""
            given = {"key": key, "text": text}
            if governor is None:
                return str(await put.run_json(given, CancellationToken()))
            return str((await bench.call_tool("put", given)).to_text())

        tools: list[Any] = [put, FunctionTool(relay, "Pass it on.")] if scenario.nested else [put]
        bench: Any = StaticWorkbench(tools)
        if governor is not None:
            bench = GovernWorkbench(bench, governor)
        return bench


def _model(turns: list[list[Call]]) -> ReplayChatCompletionClient:
    asked = [
        CreateResult(
            content=[
                FunctionCall(id=f"{turn}-{n}", name=call.tool, arguments=json.dumps(call.args))
                for n, call in enumerate(calls)
            ],
            finish_reason="function_calls",
            usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
            cached=False,
        )
        for turn, calls in enumerate(turns)
    ]
    return ReplayChatCompletionClient([*asked, "done"], ABLE)


DRIVER = AutoGenDriver()
