"""CrewAI crews with a scripted model: native function calls, and ReAct texts on the paths `sync` and `async, sync tool`."""

import json
from types import SimpleNamespace
from typing import Any, ClassVar

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool, tool
from pydantic import Field, PrivateAttr

from mutx_agent import Governor
from mutx_agent.adapters.crewai import register_hooks
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

REACT = ("sync", "async, sync tool")


class ScriptedLLM(BaseLLM):
    """Says its turns one after another, then `done`, and remembers what it was told of its calls."""

    native: bool = True
    turns: list[list[Any]] = Field(default_factory=list)
    _told: list[str] = PrivateAttr(default_factory=list)

    def supports_function_calling(self) -> bool:
        return self.native

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self._hear(messages)
        if not self.turns:
            return "done" if self.native else "Thought: I know\nFinal Answer: done"
        calls = self.turns.pop(0)
        if not self.native:
            (call,) = calls
            return f"Thought: do it\nAction: {call.tool}\nAction Input: {json.dumps(call.args)}"
        return [
            SimpleNamespace(
                id=f"call-{len(self.turns)}-{number}",
                type="function",
                function=SimpleNamespace(name=call.tool, arguments=json.dumps(call.args)),
            )
            for number, call in enumerate(calls)
        ]

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call(messages)

    def _hear(self, messages: Any) -> None:
        for message in messages if isinstance(messages, list) else []:
            text = str(message.get("content") or "")
            if message.get("role") == "tool" or "Observation:" in text:
                self._told.append(text)


class CrewAIDriver(Driver):
    name = "crewai"
    distributions = ("crewai",)
    hook = "crewai.hooks.register_before_tool_call_hook and register_after_tool_call_hook (`register_hooks`)"
    patch = "run and arun of crewai.tools.BaseTool and all its subclasses; CrewStructuredTool.invoke and ainvoke"
    absent: ClassVar = {"hook:nested": "a hook sees what the model calls, not what a tool's own code runs"}
    out_of_reach = "tools that the model's provider runs"
    handoff_tools = frozenset({"delegate_work_to_coworker"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        crew, models, undo = self._crew(scenario, world, governor)
        try:
            assert str(crew.kickoff()) == "done"
        finally:
            undo()
        return _told(models)

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        crew, models, undo = self._crew(scenario, world, governor)
        try:
            if scenario.mode == "stream":
                streaming = await crew.akickoff()
                async for _ in streaming:
                    pass
                assert str(streaming.result) == "done"
            else:
                assert str(await crew.akickoff()) == "done"
        finally:
            undo()
        return _told(models)

    def _crew(self, scenario: Scenario, world: World, governor: Governor | None) -> Any:
        put = tool("put")(self.put_of(scenario, world))
        tools: list[BaseTool] = [put]
        if scenario.nested:
            tools.append(_relay(put))
        turns = scenario.turns * (2 if scenario.flaky else 1)
        model = ScriptedLLM(model="scripted", native=scenario.path not in REACT, turns=list(turns))
        worker = _agent("worker", model, tools=tools)
        agents, models = [worker], [model]
        if scenario.handoff:
            over = Call("delegate_work_to_coworker", {"task": "write it", "context": "none", "coworker": "worker"})
            models.insert(0, ScriptedLLM(model="scripted", turns=[[over]]))
            agents.insert(0, _agent("first", models[0], allow_delegation=True))
        task = Task(description="write the note", expected_output="done", agent=agents[0])
        crew = Crew(agents=agents, tasks=[task], stream=scenario.mode == "stream", cache=False)
        undo = register_hooks(governor) if governor is not None else lambda: None
        return crew, models, undo


def _agent(role: str, model: Any, **options: Any) -> Agent:
    return Agent(role=role, goal="write", backstory="a writer", llm=model, **options)


def _relay(put: BaseTool) -> BaseTool:
    @tool("relay")
    def relay(key: str, text: str) -> str:
        """Pass it on."""
        return str(put.run(key=key, text=text))

    return relay


def _told(models: list[Any]) -> list[str]:
    return [text for model in models for text in model._told]


DRIVER = CrewAIDriver()
