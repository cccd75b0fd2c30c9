"""What a server lists, however much of it there is and however slowly it comes."""

import asyncio
from typing import Any

import pytest
from mcp.server import Server
from mcp.types import ListToolsResult, PaginatedRequestParams, Tool

from mutx.services.mcp import listing
from mutx.services.mcp.listing import BATCH, BATCH_BYTES, MAX_PAGES
from tests.services.mcp.conftest import Desk

PAGES = 3


def tool(name: str, description: str = "Reads.") -> Tool:
    return Tool(name=name, description=description, input_schema={"type": "object"})


def paged(pages: int | None) -> Server[Any]:
    """A page of tools behind each cursor; None: there is always another one."""

    async def listed(ctx: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        at = int(params.cursor or 0) if params else 0
        more = pages is None or at + 1 < pages
        names = [f"read_{at}"] if pages is None else [f"read_{at}_{number}" for number in range(BATCH // 2)]
        found = [tool(name) for name in names]
        if at == 0 and pages is not None:
            found.insert(1, tool("read_flood", "x" * BATCH_BYTES))
        return ListToolsResult(tools=found, next_cursor=str(at + 1) if more else None)

    return Server("paged", on_list_tools=listed)


async def test_many_tools_are_observed_in_parts_and_one_too_large_is_left_out(desk: Desk) -> None:
    name = desk.name()
    async with desk.proxy({name: paged(PAGES)}) as client:
        found = {one.name for one in (await client.list_tools()).tools}
    assert len(found) == PAGES * BATCH // 2
    assert f"{name}__read_2_0" in found
    assert f"{name}__read_flood" not in found


async def test_a_list_without_end_is_read_up_to_a_bound(desk: Desk) -> None:
    async with desk.proxy({desk.name(): paged(None)}) as client:
        assert len((await client.list_tools()).tools) == MAX_PAGES


async def test_a_server_that_does_not_list_in_time_is_left_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(ctx: Any, params: Any) -> ListToolsResult:
        await asyncio.sleep(3600)
        raise AssertionError

    name = desk.name()
    monkeypatch.setattr(listing, "LIST_SECONDS", 1.0)
    async with desk.proxy({name: paged(1), desk.name(): Server("slow", on_list_tools=never)}) as client:
        for _ in range(60):  # on a busy machine a second may be too short for the other one as well
            found = {one.name.partition("__")[0] for one in (await client.list_tools()).tools}
            if found:
                break
    assert found == {name}
