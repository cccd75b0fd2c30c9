"""Completions, and subscriptions to resources, of the servers behind the proxy. Each is decided like a call.

Policies know them as the tools `server__completion:complete` (arguments `kind`, `ref`, `argument`, `value`, `context`) and
`server__resources:subscribe` (`uri`).
"""

import asyncio
from contextlib import suppress

import anyio
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequest,
    CompleteRequestParams,
    CompleteResult,
    CompletionArgument,
    CompletionContext,
    EmptyResult,
    PromptReference,
    ResourceTemplateReference,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from mutx.services.mcp.definitions import MARK, qualified
from mutx.services.mcp.governed import Asked
from mutx.services.mcp.passing import Within, governed
from mutx.services.mcp.relay import Context
from mutx.services.mcp.session import ProxySession
from mutx_agent.errors import ActionDenied
from mutx_agent.transport.base import Json

COMPLETE, SUBSCRIBE = "completion:complete", "resources:subscribe"
MAX_WATCHED = 200
"""Resources that a client may hear of in one session, or by one stream."""
END_SECONDS = 5.0


class Watching:
    """`within` runs work in the session of a request."""

    def __init__(self, within: Within) -> None:
        self._within = within

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        async def work(session: ProxySession) -> CompleteResult:
            server, kind, ref = _place(session, params.ref)

            def request(args: Json) -> CompleteRequest:
                wanted = CompleteRequestParams(
                    ref=_reference(args["kind"], args["ref"]),
                    argument=CompletionArgument(name=args["argument"], value=args["value"]),
                    context=CompletionContext(arguments=args["context"]) if args["context"] else None,
                )
                return CompleteRequest(params=wanted)

            given: Json = {
                "kind": kind,
                "ref": ref,
                "argument": params.argument.name,
                "value": params.argument.value,
                "context": dict(params.context.arguments or {}) if params.context else {},
            }
            asked = Asked(qualified(server, COMPLETE), given, "complete", server)
            result, meta = await governed(session, ctx, asked, request, CompleteResult)
            values = [value for value in result.completion.values if not session.scanner.scan(value)]
            kept = result.completion.model_copy(update={"values": values})
            return CompleteResult(completion=kept, _meta=meta)

        answer: CompleteResult = await self._within(ctx, work)
        return answer

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        async def work(session: ProxySession) -> EmptyResult:
            taken = session.changes.subscribed
            if params.uri not in taken:
                if len(taken) >= MAX_WATCHED:
                    raise MCPError(INVALID_PARAMS, f"at most {MAX_WATCHED} resources can be subscribed to")
                await _watch(session, ctx, params.uri)
                taken.add(params.uri)
            return EmptyResult()

        answer: EmptyResult = await self._within(ctx, work)
        return answer

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        async def work(session: ProxySession) -> EmptyResult:
            if params.uri in session.changes.subscribed:
                session.changes.subscribed.remove(params.uri)
                await _unwatch(session, params.uri)
            return EmptyResult()

        answer: EmptyResult = await self._within(ctx, work)
        return answer

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """As long as the client listens. What is refused is left out of what is acknowledged."""

        async def work(session: ProxySession) -> SubscriptionsListenResult:
            wanted = params.notifications
            taken: list[str] = []
            with session.kept():
                try:
                    for uri in dict.fromkeys((wanted.resource_subscriptions or ())[:MAX_WATCHED]):
                        with suppress(MCPError, ActionDenied):
                            await _watch(session, ctx, uri)
                            taken.append(uri)
                    honoured = wanted.model_copy(update={"resource_subscriptions": taken or None})
                    return await session.changes.listen(ctx, params.model_copy(update={"notifications": honoured}))
                finally:
                    with anyio.CancelScope(shield=True), suppress(TimeoutError):
                        async with asyncio.timeout(END_SECONDS):
                            for uri in taken:
                                await _unwatch(session, uri)

        answer: SubscriptionsListenResult = await self._within(ctx, work)
        return answer


def _place(session: ProxySession, ref: PromptReference | ResourceTemplateReference) -> tuple[str, str, str]:
    """Server, kind and its own name or template. Raises MCPError for what is nobody's."""
    if isinstance(ref, PromptReference):
        place = session.split(ref.name)
        if place is not None:
            return place[0], "prompt", place[1]
        raise MCPError(INVALID_PARAMS, f"no prompt {ref.name[:256]!r}; list the prompts again")
    server, uri = _located(session, ref.uri)
    return server, "resource", uri


def _reference(kind: str, ref: str) -> PromptReference | ResourceTemplateReference:
    if kind == "prompt":
        return PromptReference(type="ref/prompt", name=ref)
    return ResourceTemplateReference(type="ref/resource", uri=ref)


def _located(session: ProxySession, address: str) -> tuple[str, str]:
    """Raises MCPError."""
    server, mark, uri = address.partition(MARK)
    if not mark or server not in session.links:
        raise MCPError(INVALID_PARAMS, "no such resource; list the resources again")
    return server, uri


async def _watch(session: ProxySession, ctx: Context, address: str) -> None:
    """Raises MCPError, ActionDenied."""
    server, uri = _located(session, address)

    async def effect(allowed: Json) -> Json:
        if allowed["uri"] != uri:
            raise MCPError(
                INVALID_PARAMS, "the policy would have another resource subscribed to; subscribe to that one"
            )
        await session.links[server].upstream.watch(uri)
        return {"subscribed": True}

    await session.run(ctx, Asked(qualified(server, SUBSCRIBE), {"uri": uri}, "subscribe", server), effect)


async def _unwatch(session: ProxySession, address: str) -> None:
    server, uri = _located(session, address)
    await session.links[server].upstream.unwatch(uri)
