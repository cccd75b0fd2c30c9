"""Mem0, without a change to the program: it has no hook of its own.

    mutx_agent.hooks.install("mem0")

Reading and writing memory is access to data, not a tool that a model names, so `install` decides every public operation
of `Memory`, `AsyncMemory`, `MemoryClient` and `AsyncMemoryClient` as the tool `mem0.NAME` of the service `mem0`, with
the operation `read`, `write` or `delete`. What a search brings back reaches `conclude`, so the session knows what it has
read. There is no model to tell, so a denied operation raises ActionDenied. An operation that Mem0 builds on another
public one (a client's `reset`) is decided for each.
"""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._patch import Maker, Uninstall, installed, patch
from mutx_agent.adapters._probes import nothing, replaced
from mutx_agent.arguments import BoundCall, CallShape
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json
from mutx_agent.values import CannotModify

DISTRIBUTION, RUNTIME = "mem0ai", "mem0"
OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("add", "update"), "write"),
        **dict.fromkeys(("get", "get_all", "search", "history"), "read"),
        **dict.fromkeys(("delete", "delete_all", "reset"), "delete"),
    }
)
"""What all four classes have."""
CLIENT_OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("batch_update", "create_memory_export", "generate_profile", "feedback"), "write"),
        **dict.fromkeys(("users", "get_memory_export", "get_summary", "get_profile", "sample_profiles"), "read"),
        **dict.fromkeys(("batch_delete", "delete_users"), "delete"),
    }
)
"""What the clients of the hosted service have besides."""


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every memory operation of Mem0 in this process. Raises HookNotFound."""
    stores = {f"mem0.memory.main:{name}": OPERATIONS for name in ("Memory", "AsyncMemory")}
    clients = {
        f"mem0.client.main:{name}": {**OPERATIONS, **CLIENT_OPERATIONS}
        for name in ("MemoryClient", "AsyncMemoryClient")
    }
    points: dict[str, Maker] = {
        f"{owner}.{name}": _maker(name, operation)
        for owner, operations in {**stores, **clients}.items()
        for name, operation in operations.items()
    }
    return patch(DISTRIBUTION, RUNTIME, governor, points)


def _maker(name: str, operation: str) -> Maker:
    def make(original: Any, gate: Gate) -> Any:
        shape = CallShape(original)

        def used(call: BoundCall) -> ToolUse:
            return ToolUse(f"mem0.{name}", call.sent, {"operation": operation, "service": "mem0"})

        def run(*args: Any, **kwargs: Any) -> Any:
            call = shape.bind(args, kwargs)
            return gate.run(lambda: used(call), lambda changed: _made(original, call, changed), raised)

        async def arun(*args: Any, **kwargs: Any) -> Any:
            call = shape.bind(args, kwargs)
            return await gate.arun(lambda: used(call), lambda changed: _made(original, call, changed), raised)

        return arun if inspect.iscoroutinefunction(original) else run

    return make


def _made(original: Any, call: BoundCall, changed: Json | None) -> Any:
    try:
        args, kwargs = call.arguments(call.sent if changed is None else changed)
    except CannotModify as error:
        raise ActionDenied(str(error), reason_code="cannot_modify", tool_name=original.__name__) from error
    return original(*args, **kwargs)


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a memory without any model behind it look something up in a store that calls `spy`."""
    from mem0.memory import main

    class Store:
        def get(self, **unused: Any) -> None:
            spy()

    memory: Any = object.__new__(main.Memory)
    memory.vector_store = Store()
    with (
        installed(install, governor),
        replaced(main, capture_event=nothing, display_first_run_notice=nothing),
    ):
        try:
            memory.get("nothing")
        except ActionDenied:
            return
