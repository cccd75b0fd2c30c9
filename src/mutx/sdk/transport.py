"""Perform operations over an HTTP client."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from mutx.contract.operation import Operation
from mutx.sdk.message import OutgoingRequest, Unreachable, answer, event, message, problem

HEADERS = {"accept": "application/json, text/event-stream, text/plain"}
STREAM_TIMEOUT = httpx2.Timeout(30.0, read=90.0)
"""Seconds; the server sends a comment at least every 15 s while a stream is silent."""


@contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError as error:
        raise Unreachable(f"the control plane cannot be reached: {type(error).__name__}: {error}") from error


def _trace_headers() -> dict[str, str]:
    """The trace that the program is in (W3C Trace Context). One that does not use OpenTelemetry does not load it."""
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is None:
        return {}
    span = tracing.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    headers = {"traceparent": f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"}
    return headers | ({"tracestate": span.trace_state.to_header()} if span.trace_state else {})


def _request(client: httpx2.Client | httpx2.AsyncClient, sent: OutgoingRequest, **more: Any) -> httpx2.Request:
    headers = HEADERS | _trace_headers() | ({"content-type": "application/json"} if sent.content is not None else {})
    return client.build_request(
        sent.method, sent.url, params=sent.params, content=sent.content, headers=headers, **more
    )


class SyncTransport:
    """Blocking; may be shared by threads."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def call(self, op: Operation[Any, Any], *args: Any, **kwargs: Any) -> Any:
        with _connection_errors():
            return answer(op, self.client.send(_request(self.client, message(op, args, kwargs))))

    def stream(self, op: Operation[Any, Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
        request = _request(self.client, message(op, args, kwargs), timeout=STREAM_TIMEOUT)
        with _connection_errors():
            response = self.client.send(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    raise problem(response)
                for sent in httpx2.EventSource(response):
                    if sent.data:
                        yield event(op, sent.data)
            finally:
                response.close()


class AsyncTransport:
    """For one event loop."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def call(self, op: Operation[Any, Any], *args: Any, **kwargs: Any) -> Any:
        with _connection_errors():
            return answer(op, await self.client.send(_request(self.client, message(op, args, kwargs))))

    async def stream(self, op: Operation[Any, Any], *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        request = _request(self.client, message(op, args, kwargs), timeout=STREAM_TIMEOUT)
        with _connection_errors():
            response = await self.client.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    raise problem(response)
                async for sent in httpx2.EventSource(response):
                    if sent.data:
                        yield event(op, sent.data)
            finally:
                await response.aclose()
