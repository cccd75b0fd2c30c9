"""Adding to raw ASGI headers."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.types import Message, Send

RawHeaders = Sequence[tuple[bytes, bytes]]


def with_headers(send: Send, extra: RawHeaders) -> Callable[[Message], Awaitable[None]]:
    """A `send` that adds headers to the start of the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *extra]
        await send(message)

    return sending
