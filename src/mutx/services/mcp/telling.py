"""Tell a proxy's client what has changed at the servers behind it, in the way of the revision that it speaks."""

from typing import Any

from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from mutx.services.mcp.definitions import MARK
from mutx.services.mcp.relay import Context

MAX_STREAMS = 32
MAX_URI = 4096


class ClientChanges:
    """Of one session. `subscribed`: addresses at the proxy that a client of the older revisions asked for."""

    def __init__(self) -> None:
        self.subscribed: set[str] = set()
        self._bus = InMemorySubscriptionBus()
        self.listen = ListenHandler(self._bus, max_subscriptions=MAX_STREAMS)
        """Serves the streams of a client of the stateless revision."""

    async def heard(self, server: str, event: ServerEvent, ctx: Context | None) -> None:
        """`ctx`: of the client's latest request."""
        if isinstance(event, ResourceUpdated):
            if len(event.uri) > MAX_URI:
                return
            event = ResourceUpdated(uri=f"{server}{MARK}{event.uri}")
        await self._bus.publish(event)
        if ctx is not None:
            await self._notify(server, event, ctx.session)

    async def _notify(self, server: str, event: ServerEvent, client: Any) -> None:
        match event:
            case ToolsListChanged():
                await client.send_tool_list_changed()
            case PromptsListChanged():
                await client.send_prompt_list_changed()
            case ResourcesListChanged():
                await client.send_resource_list_changed()
            case ResourceUpdated(uri=uri):
                # A server may name a part of what was asked for.
                if any(one.startswith(f"{server}{MARK}") for one in self.subscribed):
                    await client.send_resource_updated(uri)
