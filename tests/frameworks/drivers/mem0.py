"""Mem0's own store (qdrant in a folder) without a model: `add(infer=False)`. What reaches the store is the effect."""

import asyncio
import os
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

os.environ["MEM0_TELEMETRY"] = "False"

from mem0 import AsyncMemory, Memory
from mem0.embeddings.mock import MockEmbeddings

from mutx_agent import ActionDenied, Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class Mem0Driver(Driver):
    name = "mem0"
    distributions = ("mem0ai",)
    tool = "mem0.add"
    result = "'event': 'ADD'"
    patch = (
        "add, update, get, get_all, search, history, delete, delete_all, reset of Memory, AsyncMemory and both clients"
    )
    absent: ClassVar = {
        "async, sync tool": "an operation is either synchronous or asynchronous",
        "streaming": "operations answer at once",
        "nested": "operations run no tools",
        "handoff": "there are no agents",
    }
    out_of_reach = "code that reaches into the vector store behind the memory"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            memory = _memory(Memory, world, folder)
            told = [_add(memory, call) for calls in _turns(scenario) for call in calls]
            memory.close()
        return [text for text in told if text]

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        told: list[str | None] = []
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            memory = _memory(AsyncMemory, world, folder)
            for calls in _turns(scenario):
                told += await asyncio.gather(*(_aadd(memory, call) for call in calls))
            memory.close()
        return [text for text in told if text]


def _turns(scenario: Scenario) -> list[list[Call]]:
    """Where an operation has failed, its caller tries again."""
    return scenario.turns * (2 if scenario.flaky else 1)


def _memory(kind: Any, world: World, folder: str) -> Any:
    key = {"config": {"api_key": "none"}}
    store = {"path": folder, "collection_name": "notes", "embedding_model_dims": 10}
    memory = kind.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store},
            "llm": {"provider": "openai", **key},
            "embedder": {"provider": "openai", **key},
            "history_db_path": f"{folder}/history.db",
        }
    )
    memory.embedding_model = MockEmbeddings()
    insert = memory.vector_store.insert

    def noted(vectors: Any, payloads: Any = None, ids: Any = None) -> Any:
        for payload in payloads:
            world.put(payload["user_id"], payload["data"])
        return insert(vectors=vectors, payloads=payloads, ids=ids)

    memory.vector_store.insert = noted
    return memory


def _add(memory: Any, call: Call) -> str | None:
    """What comes back, as the suite expects it of a note: the memory's own text under its key."""
    try:
        made = memory.add(call.args["text"], user_id=call.args["key"], infer=False)
    except ActionDenied as denial:
        return str(denial)
    except OSError:
        return None
    return _text(made, call)


async def _aadd(memory: Any, call: Call) -> str | None:
    try:
        made = await memory.add(call.args["text"], user_id=call.args["key"], infer=False)
    except ActionDenied as denial:
        return str(denial)
    except OSError:
        return None
    return _text(made, call)


def _text(made: Any, call: Call) -> str:
    assert [one["event"] for one in made["results"]] == ["ADD"]
    return f"wrote {call.args['key']}"


DRIVER = Mem0Driver()
