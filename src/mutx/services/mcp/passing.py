"""Resources and prompts of the servers behind the proxy. Reading one is decided like a call.

Policies know them as the tools `server__resources:read` (argument `uri`) and `server__prompts:get` (`name`, `arguments`);
no tool can have such a name. A resource's address at the proxy is `server+uri`, a prompt's name `server__name`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    GetPromptRequest,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsRequest,
    ListPromptsResult,
    ListResourcesRequest,
    ListResourcesResult,
    ListResourceTemplatesRequest,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    PromptMessage,
    ReadResourceRequest,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
)

from mutx.kit.errors import MutxError, TooLarge
from mutx.services.mcp.definitions import MARK, qualified
from mutx.services.mcp.governed import Asked
from mutx.services.mcp.judging import judged
from mutx.services.mcp.listing import LIST_SECONDS, MAX_PAGES, MAX_TOOLS
from mutx.services.mcp.relay import Context
from mutx.services.mcp.results import RECEIPT, SUSPICIONS, UNTRUSTED, plain, suspicions, too_large, warning
from mutx.services.mcp.session import ProxySession
from mutx_agent.errors import ActionDenied
from mutx_agent.transport.base import Json

log = structlog.stdlib.get_logger("mutx.mcp")

T = TypeVar("T")
Within = Callable[[Context, Callable[[ProxySession], Awaitable[Any]]], Awaitable[Any]]

READ, GET = "resources:read", "prompts:get"


class Passing:
    """`within` runs work in the session of a request."""

    def __init__(self, within: Within) -> None:
        self._within = within

    async def list_resources(self, ctx: Context, _: PaginatedRequestParams | None) -> ListResourcesResult:
        found = await self._everywhere(ctx, "resources", ListResourcesRequest, ListResourcesResult)
        items = [one.model_copy(update={"uri": f"{at}{MARK}{one.uri}", "meta": None}) for at, one in found]
        return ListResourcesResult(resources=items)

    async def list_templates(self, ctx: Context, _: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        asked, answer = ListResourceTemplatesRequest, ListResourceTemplatesResult
        found = await self._everywhere(ctx, "resource_templates", asked, answer)
        items = [
            one.model_copy(update={"uri_template": f"{at}{MARK}{one.uri_template}", "meta": None}) for at, one in found
        ]
        return ListResourceTemplatesResult(resource_templates=items)

    async def list_prompts(self, ctx: Context, _: PaginatedRequestParams | None) -> ListPromptsResult:
        found = await self._everywhere(ctx, "prompts", ListPromptsRequest, ListPromptsResult)
        items = [
            one.model_copy(update={"name": qualified(at, one.name), "meta": None, "icons": None}) for at, one in found
        ]
        return ListPromptsResult(prompts=items)

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        async def work(session: ProxySession) -> ReadResourceResult:
            server, mark, uri = str(params.uri).partition(MARK)
            if not mark or server not in session.links:
                raise MCPError(INVALID_PARAMS, "no such resource; list the resources again")

            def request(args: Json) -> ReadResourceRequest:
                return ReadResourceRequest(params=ReadResourceRequestParams(uri=args["uri"]))

            asked = Asked(qualified(server, READ), {"uri": uri}, "read", server)
            result, meta = await governed(session, ctx, asked, request, ReadResourceResult)
            contents = [
                one.model_copy(update={"uri": f"{server}{MARK}{one.uri}", "meta": {**(one.meta or {}), **meta}})
                for one in result.contents
            ]
            return ReadResourceResult(contents=contents, _meta=meta)

        return await self._passed(ctx, work)

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        async def work(session: ProxySession) -> GetPromptResult:
            place = session.split(params.name)
            if place is None:
                raise MCPError(INVALID_PARAMS, f"no prompt {params.name[:256]!r}; list the prompts again")
            server, name = place

            def request(args: Json) -> GetPromptRequest:
                wanted = GetPromptRequestParams(name=args["name"], arguments=args["arguments"])
                return GetPromptRequest(params=wanted)

            given = {"name": name, "arguments": dict(params.arguments or {})}
            asked = Asked(qualified(server, GET), given, "get", server)
            result, meta = await governed(session, ctx, asked, request, GetPromptResult)
            if meta.get(SUSPICIONS):
                note = TextContent(type="text", text=meta.pop("warning"))
                result.messages.insert(0, PromptMessage(role="user", content=note))
            return GetPromptResult(description=result.description, messages=result.messages, _meta=meta)

        return await self._passed(ctx, work)

    async def _everywhere(self, ctx: Context, field: str, request: Any, answer: Any) -> list[tuple[str, Any]]:
        """What every server that can be reached lists, without what speaks to the model."""

        async def work(session: ProxySession) -> list[tuple[str, Any]]:
            links = session.links
            lists = await asyncio.gather(*(_listed(session, server, field, request, answer) for server in links))
            return [(server, one) for server, items in zip(links, lists, strict=True) for one in items]

        return await self._passed(ctx, work)

    async def _passed(self, ctx: Context, work: Callable[[ProxySession], Awaitable[T]]) -> T:
        found: T = await self._within(ctx, work)
        return found


async def _listed(session: ProxySession, server: str, field: str, request: Any, answer: Any) -> Sequence[Any]:
    upstream = session.links[server].upstream
    found: list[Any] = []
    cursor: str | None = None
    try:
        for _ in range(MAX_PAGES):
            asked = request(params=PaginatedRequestParams(cursor=cursor))
            page = await upstream.ask(asked, answer, seconds=LIST_SECONDS)
            found += getattr(page, field)
            cursor = page.next_cursor
            if not cursor or len(found) >= MAX_TOOLS:
                break
    except MCPError as error:
        if error.code != METHOD_NOT_FOUND:
            log.warning("an MCP server does not list", server=server, what=field, error=error.message)
    except MutxError as error:
        log.warning("an MCP server is left out of the listing", server=server, what=field, error=str(error))
    return [one for one in found[:MAX_TOOLS] if _speaks_to_people(one, session, server)]


def _speaks_to_people(item: Any, session: ProxySession, server: str) -> bool:
    found = suspicions(plain(item), session.scanner)
    if found:
        log.warning(
            "left out: it speaks to the model", server=server, name=item.name, found=[str(one) for one in found]
        )
    return not found


async def governed(
    session: ProxySession, ctx: Context, asked: Asked, request: Callable[[Json], Any], answer: Any
) -> tuple[Any, Json]:
    """The answer of the server, and what is said of it. Raises ActionDenied, MutxError, MCPError."""
    link = session.links[asked.service or ""]
    given: list[Any] = []

    async def effect(allowed: Json) -> Json:
        with link.relay.during(ctx):
            given.append(await link.upstream.ask(request(allowed), answer, seconds=session.rules.call_seconds))
        return plain(given[0])

    ran = await session.run(ctx, asked, effect)
    if too_large(ran.result):
        raise TooLarge(f"{asked.tool} was run, and its result is too large to pass on")
    meta: Json = {UNTRUSTED: True, RECEIPT: ran.receipt_id}
    seen = await judged(session, ran.result)
    if seen.result is None:
        raise ActionDenied(f"its result is withheld: {seen.why}", reason_code="withheld", tool_name=asked.tool)
    meta |= dict(seen.meta)
    if seen.found:
        meta |= {SUSPICIONS: [one.kind for one in seen.found], "warning": warning(seen.found)}
    passed: Any = given[0] if seen.result == ran.result else answer.model_validate(seen.result)
    return passed, meta
