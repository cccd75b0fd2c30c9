"""What a server asks of the client while it serves a call: passed on where the configuration names it, refused otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcp.client.client import Client
from mcp.client.session import ClientRequestContext, ClientSession
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)
from mcp.types import (
    INVALID_REQUEST,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    InputResponses,
    ListRootsRequest,
    ListRootsResult,
    PromptListChangedNotification,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    RootsCapability,
    SamplingCapability,
    ToolListChangedNotification,
)

from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.governed import Asked
from mutx.services.mcp.upstream import Transport
from mutx_agent.errors import ActionDenied

Context = ServerRequestContext[Any, Any]
_LISTS = (
    (ToolListChangedNotification, ToolsListChanged()),
    (PromptListChangedNotification, PromptsListChanged()),
    (ResourceListChangedNotification, ResourcesListChanged()),
)
NOBODY = "the client of this proxy cannot be asked now"


class Relay:
    """Of one server in one session of the proxy: the requests under way, the latest last."""

    def __init__(self, server: str, spec: ServerSpec, session: Any) -> None:
        self._server = server
        self._spec = spec
        self._session = session
        self._under_way: list[Context] = []

    def connect(self, transport: Transport) -> Client:
        """A client that offers the server what it may ask for, and nothing else."""
        allowed = self._spec.relay
        return Client(
            transport,
            cache=None,
            mode=self._spec.protocol,
            elicitation_callback=self.elicit if "elicitation" in allowed else None,
            sampling_callback=self.sample if "sampling" in allowed else None,
            list_roots_callback=self.roots if "roots" in allowed else None,
            message_handler=self._heard,
        )

    async def answers(self, asked: InputRequiredResult, session: ClientSession) -> InputResponses:
        """What the client says to the questions of a server of the stateless revision. Raises MCPError for a refusal."""
        found: InputResponses = {}
        for key, request in (asked.input_requests or {}).items():
            answer = await session.dispatch_input_request(ClientRequestContext(session=session, request_id=0), request)
            if isinstance(answer, ErrorData):
                raise MCPError.from_error_data(answer)
            found[key] = answer
        return found

    @contextmanager
    def during(self, ctx: Context) -> Iterator[None]:
        """While this runs, the server's questions go to the client of this request."""
        self._under_way.append(ctx)
        try:
            yield
        finally:
            self._under_way.remove(ctx)

    async def elicit(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        ctx = self._client(ClientCapabilities(elicitation=ElicitationCapability()))
        if ctx is None:
            return ErrorData(code=INVALID_REQUEST, message=NOBODY)
        said = f"[asked by the MCP server {self._server}] {params.message}"
        named = params.model_copy(update={"message": said})
        answer: ElicitResult = await _send(ctx, ElicitRequest(params=named), ElicitResult)
        return answer

    async def sample(
        self, context: ClientRequestContext, params: CreateMessageRequestParams
    ) -> CreateMessageResult | ErrorData:
        """Decided like a call: what the model answers goes to the server."""
        ctx = self._client(ClientCapabilities(sampling=SamplingCapability()))
        if ctx is None:
            return ErrorData(code=INVALID_REQUEST, message=NOBODY)
        given = params.model_dump(by_alias=True, mode="json", exclude_none=True)

        async def effect(_: dict[str, Any]) -> Any:
            answer = await _send(ctx, CreateMessageRequest(params=params), CreateMessageResult)
            return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

        asked = Asked(f"{self._server}__sampling:create", given, "sample", self._server)
        try:
            ran = await self._session.run(ctx, asked, effect)
        except ActionDenied as denied:
            return ErrorData(code=INVALID_REQUEST, message=str(denied))
        except MCPError as error:
            return error.error
        return CreateMessageResult.model_validate(ran.result)

    async def roots(self, context: ClientRequestContext) -> ListRootsResult | ErrorData:
        ctx = self._client(ClientCapabilities(roots=RootsCapability()))
        if ctx is None:
            return ErrorData(code=INVALID_REQUEST, message=NOBODY)
        answer: ListRootsResult = await _send(ctx, ListRootsRequest(), ListRootsResult)
        return answer

    def _client(self, needed: ClientCapabilities) -> Context | None:
        """The request on whose behalf the server asks, if its client can be asked that."""
        ctx = self._under_way[-1] if self._under_way else None
        return ctx if ctx is not None and can_ask(ctx, needed) else None

    async def _heard(self, message: Any) -> None:
        event = _event(message)
        if event is not None:
            await self._session.changed(self._server, event)


def _event(message: Any) -> ServerEvent | None:
    """What has changed, if that is what the server says."""
    if isinstance(message, ResourceUpdatedNotification):
        return ResourceUpdated(uri=str(message.params.uri))
    return next((event for kind, event in _LISTS if isinstance(message, kind)), None)


def can_ask(ctx: Context, needed: ClientCapabilities) -> bool:
    return ctx.session.can_send_request and ctx.session.check_client_capability(needed)


async def ask_to_wait(ctx: Context, message: str) -> bool | None:
    """Accepted or not; None where the client cannot be asked."""
    if not can_ask(ctx, ClientCapabilities(elicitation=ElicitationCapability())):
        return None
    form = ElicitRequestFormParams(message=message, requested_schema={"type": "object", "properties": {}})
    answer: ElicitResult = await _send(ctx, ElicitRequest(params=form), ElicitResult)
    return answer.action == "accept"


async def _send(ctx: Context, request: Any, answer: Any) -> Any:
    """On the stream of the request that is under way. Raises MCPError."""
    return await ctx.session.send_request(
        request, answer, metadata=ServerMessageMetadata(related_request_id=ctx.request_id)
    )
