"""The OpenAI Agents SDK's tools that are no function tools: what they do is done to a list, and read there."""

from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent, ApplyPatchTool, Computer, ComputerTool, LocalShellTool, RunConfig, Runner, ShellTool
from agents.items import ToolCallOutputItem
from agents.testing import ScriptedModel, assistant_message
from agents.tool import CustomTool
from openai.types.responses import ResponseComputerToolCall, ResponseCustomToolCall
from openai.types.responses.computer_action import Click
from openai.types.responses.response_apply_patch_tool_call import (
    OperationCreateFile,
    OperationDeleteFile,
    OperationUpdateFile,
    ResponseApplyPatchToolCall,
)
from openai.types.responses.response_function_shell_tool_call import Action, ResponseFunctionShellToolCall
from openai.types.responses.response_output_item import LocalShellCall, LocalShellCallAction

from mutx_agent import ActionDenied, Governor, hooks
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane, deny


@pytest.fixture
def done() -> list[Any]:
    return []


@pytest.fixture(autouse=True)
def installed(plane: ScriptedPlane) -> Iterator[None]:
    uninstall = hooks.install("openai_agents", Governor(EmbeddedTransport(server=plane), agent_id="bot"))
    yield
    uninstall()


def change(**changed: Any) -> Any:
    return lambda call: {"decision": "modify", "modified_args": {**call["tool_args"], **changed}}


async def told(tool: Any, call: Any) -> Any:
    """What the model hears of its one call."""
    agent = Agent(name="bot", tools=[tool], model=ScriptedModel([[call], [assistant_message("done")]]))
    result = await Runner.run(agent, "work", run_config=RunConfig(tracing_disabled=True))
    assert result.final_output == "done"
    (item,) = [item for item in result.new_items if isinstance(item, ToolCallOutputItem)]
    return item.output


def shell_call(*commands: str) -> Any:
    return ResponseFunctionShellToolCall(
        id="s", call_id="s", type="shell_call", status="completed", action=Action(commands=list(commands))
    )


async def test_a_shell(plane: ScriptedPlane, done: list[Any]) -> None:
    def execute(request: Any) -> str:
        done.append(request.data.action.commands)
        return "listed"

    assert await told(ShellTool(execute), shell_call("ls")) == "listed"
    assert plane.calls[-1]["tool_name"] == "shell"
    assert plane.calls[-1]["tool_args"] == {"commands": ["ls"]}
    assert plane.outcomes[-1]["result"] == "listed"
    plane.script = change(commands=["ls /safe"])
    await told(ShellTool(execute), shell_call("ls /"))
    plane.script = change(commands="not a list")
    assert "sequence" in await told(ShellTool(execute), shell_call("ls"))
    plane.script = deny
    assert "the script says no" in await told(ShellTool(execute), shell_call("rm"))
    assert done == [["ls"], ["ls /safe"]]


def local_call(*command: str) -> Any:
    action = LocalShellCallAction(command=list(command), env={}, type="exec")
    return LocalShellCall(id="l", call_id="l", type="local_shell_call", status="completed", action=action)


async def test_a_local_shell(plane: ScriptedPlane, done: list[Any]) -> None:
    async def execute(request: Any) -> str:
        done.append(request.data.action.command)
        return "listed"

    assert await told(LocalShellTool(execute), local_call("ls")) == "listed"
    plane.script = change(command=["ls", "/safe"])
    await told(LocalShellTool(execute), local_call("ls", "/"))
    plane.script = deny
    assert "the script says no" in await told(LocalShellTool(execute), local_call("rm"))
    assert done == [["ls"], ["ls", "/safe"]]


class Editor:
    def __init__(self, done: list[Any]) -> None:
        self._done = done

    def create_file(self, operation: Any) -> str:
        return self.update_file(operation)

    def update_file(self, operation: Any) -> str:
        self._done.append((operation.type, operation.path))
        return "edited"

    def delete_file(self, operation: Any) -> str:
        return self.update_file(operation)


def patch_call(operation: Any) -> Any:
    return ResponseApplyPatchToolCall(
        id="p", call_id="p", type="apply_patch_call", status="completed", operation=operation
    )


async def test_patches(plane: ScriptedPlane, done: list[Any]) -> None:
    tool = ApplyPatchTool(Editor(done))
    update = OperationUpdateFile(type="update_file", path="a.txt", diff="+x")
    assert await told(tool, patch_call(update)) == "edited"
    assert plane.calls[-1]["tool_args"] == {"type": "update_file", "path": "a.txt", "diff": "+x"}
    plane.script = change(path="b.txt")
    await told(tool, patch_call(update))
    plane.script = change(type="delete_file")
    assert "kind of operation" in await told(tool, patch_call(update))
    plane.script = deny
    create = OperationCreateFile(type="create_file", path="a.txt", diff="+x")
    for operation in (create, update, OperationDeleteFile(type="delete_file", path="a.txt")):
        assert "the script says no" in await told(tool, patch_call(operation))
    assert done == [("update_file", "a.txt"), ("update_file", "b.txt")]


async def test_a_custom_tool(plane: ScriptedPlane, done: list[Any]) -> None:
    async def invoke(context: Any, text: str) -> str:
        done.append(text)
        return "taken"

    tool = CustomTool(name="note", description="takes a text", on_invoke_tool=invoke)
    call = ResponseCustomToolCall(call_id="c", name="note", input="hello", type="custom_tool_call")
    assert await told(tool, call) == "taken"
    plane.script = change(input="bye")
    await told(tool, call)
    plane.script = change(other="x")
    assert "one text" in await told(tool, call)
    plane.script = deny
    assert "the script says no" in await told(tool, call)
    assert done == ["hello", "bye"]


class Screen(Computer):
    """A computer that only clicks."""

    def __init__(self, done: list[Any]) -> None:
        self._done = done

    def screenshot(self) -> str:
        return "cGljdHVyZQ=="

    def click(self, x: int, y: int, button: Any) -> None:
        self._done.append((x, y))

    def double_click(self, x: int, y: int) -> None: ...
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...
    def type(self, text: str) -> None: ...
    def wait(self) -> None: ...
    def move(self, x: int, y: int) -> None: ...
    def keypress(self, keys: list[str]) -> None: ...
    def drag(self, path: list[tuple[int, int]]) -> None: ...


async def test_a_computer_is_decided_before_its_first_action_and_a_denial_ends_the_run(
    plane: ScriptedPlane, done: list[Any]
) -> None:
    call = ResponseComputerToolCall(
        id="c",
        call_id="c",
        type="computer_call",
        status="completed",
        pending_safety_checks=[],
        actions=[Click(type="click", x=1, y=2, button="left"), Click(type="click", x=3, y=4, button="left")],
    )
    assert "cGljdHVyZQ" in await told(ComputerTool(Screen(done)), call)
    assert [action["x"] for action in plane.calls[-1]["tool_args"]["actions"]] == [1, 3]
    for script in (deny, change(actions=[])):
        plane.script = script
        with pytest.raises(ActionDenied):
            await told(ComputerTool(Screen(done)), call)
    assert done == [(1, 2), (3, 4)]
