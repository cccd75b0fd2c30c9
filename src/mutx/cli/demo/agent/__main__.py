"""The demo's agent, a program of its own: a LangGraph agent with real tools, governed by one middleware.

What it does comes out as one JSON object per line: `{"call": ..., "args": ...}`, `{"result": ..., "status": ...}`, `{"says": ...}`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from mutx.cli.demo.agent.script import REQUEST, ScriptedModel
from mutx.cli.demo.agent.tools import OfficeTools
from mutx_agent import govern
from mutx_agent.adapters.langchain import GovernMiddleware


def main() -> None:
    parser = argparse.ArgumentParser(prog="mutx.cli.demo.agent")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--payments-port", type=int, required=True)
    parser.add_argument("--session", required=True)
    parser.add_argument("--model", default="scripted")
    given = parser.parse_args()
    tools = OfficeTools(given.folder, given.smtp_port, given.payments_port)
    agent = create_agent(choose_model(given.model), tools.tools(), middleware=[GovernMiddleware()])
    with govern.session(request=REQUEST, session_id=given.session):
        limit = RunnableConfig(recursion_limit=100)
        for update in agent.stream({"messages": [HumanMessage(REQUEST)]}, limit, stream_mode="updates"):
            for event in events(update):
                print(json.dumps(event), flush=True)


def choose_model(name: str) -> BaseChatModel:
    return ScriptedModel() if name == "scripted" else init_chat_model(name)


def events(update: Any) -> Iterator[dict[str, Any]]:
    """What one step of the graph says, as the lines described above."""
    for node in update.values():
        for message in (node or {}).get("messages", []):
            yield from tell(message)


def tell(message: AnyMessage) -> Iterator[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        yield {"result": str(message.content), "tool": message.name, "status": message.status}
    elif isinstance(message, AIMessage):
        for call in message.tool_calls:
            yield {"call": call["name"], "args": call["args"]}
        if message.text:
            yield {"says": message.text}


if __name__ == "__main__":
    main()
