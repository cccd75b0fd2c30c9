"""Google ADK agents in memory, with a scripted model."""

import uuid
from typing import Any, ClassVar

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins import ReflectAndRetryToolPlugin
from google.adk.runners import InMemoryRunner
from google.adk.tools import FunctionTool, ToolContext
from google.genai import types

from mutx_agent import Governor
from mutx_agent.adapters.google_adk import GovernPlugin
from tests.frameworks.driver import Driver, Scenario
from tests.frameworks.world import World

QUESTION = types.Content(role="user", parts=[types.Part.from_text(text="write the note")])


class ScriptedLlm(BaseLlm):
    """Says its turns one after another, then `done`."""

    model: str = "scripted"
    turns: list[list[Any]]

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> Any:
        parts = self.turns.pop(0) if self.turns else [types.Part.from_text(text="done")]
        if stream and parts[0].text:
            yield LlmResponse(content=types.Content(role="model", parts=parts), partial=True)
        yield LlmResponse(content=types.Content(role="model", parts=parts))


class GoogleAdkDriver(Driver):
    name = "google_adk"
    distributions = ("google-adk",)
    hook = "BasePlugin.before_tool_callback, after_tool_callback and on_tool_error_callback (`GovernPlugin`)"
    patch = "run_async of google.adk.tools.BaseTool and all its subclasses"
    absent: ClassVar = {"hook:nested": "a plugin sees what the model calls, not what a tool's own code runs"}
    out_of_reach = "tools that the model's provider runs; live streaming functions, which ADK runs without run_async"
    handoff_tools = frozenset({"transfer_to_agent"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        runner = self._runner(scenario, world, governor)
        user = uuid.uuid4().hex
        session = runner.session_service.create_session_sync(app_name=runner.app_name, user_id=user)
        return _told(list(runner.run(user_id=user, session_id=session.id, new_message=QUESTION)))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        runner = self._runner(scenario, world, governor)
        session = await runner.session_service.create_session(app_name=runner.app_name, user_id="user")
        config = RunConfig(streaming_mode=StreamingMode.SSE) if scenario.mode == "stream" else None
        events = runner.run_async(user_id="user", session_id=session.id, new_message=QUESTION, run_config=config)
        told = _told([event async for event in events])
        await runner.close()
        return told

    def _runner(self, scenario: Scenario, world: World, governor: Governor | None) -> Any:
        body = self.put_of(scenario, world)
        put = FunctionTool(_named("put", body))
        tools: list[Any] = [put]
        if scenario.nested:

            async def relay(key: str, text: str, tool_context: ToolContext) -> str:
                """Pass it on."""
                return str(await put.run_async(args={"key": key, "text": text}, tool_context=tool_context))

            tools.append(relay)
        turns = scenario.turns * (2 if scenario.flaky else 1)
        asked = [[types.Part.from_function_call(name=c.tool, args=c.args) for c in calls] for calls in turns]
        agent = LlmAgent(name="worker", model=ScriptedLlm(turns=asked), tools=tools)
        if scenario.handoff:
            over = [[types.Part.from_function_call(name="transfer_to_agent", args={"agent_name": "worker"})]]
            agent = LlmAgent(name="first", model=ScriptedLlm(turns=over), sub_agents=[agent])
        plugins: list[Any] = [] if governor is None else [GovernPlugin(governor)]
        if scenario.flaky:
            plugins.append(ReflectAndRetryToolPlugin(max_retries=3))
        return InMemoryRunner(agent, plugins=plugins)


def _named(name: str, body: Any) -> Any:
    """ADK names a tool after its function."""

    async def put_later(key: str, text: str) -> str:
        """Write a note."""
        return str(await body(key, text))

    def put_now(key: str, text: str) -> str:
        """Write a note."""
        return str(body(key, text))

    chosen: Any = put_later if body.__name__ == "aput" else put_now
    chosen.__name__ = name
    return chosen


def _told(events: list[Any]) -> list[str]:
    assert events[-1].content.parts[0].text == "done"
    answers = [response for event in events for response in event.get_function_responses()]
    return [str(answer.response) for answer in answers]


DRIVER = GoogleAdkDriver()
