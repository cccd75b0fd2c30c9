"""What sends spans over OTLP/HTTP, also where a product takes a short-lived token instead of its key."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import httpx2
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from mutx.services.telemetry.collectors import TokenExchange

PATIENCE = 10.0
"""Seconds that an exchange of a key may take."""


def open_exporter(endpoint: str, headers: Mapping[str, str] | None, exchange: TokenExchange | None) -> SpanExporter:
    """`endpoint`: the full URL, `http://collector:4318/v1/traces`."""
    if exchange is None:
        return _sender(endpoint, headers or {})
    return TokenExporter(endpoint, headers or {}, exchange)


def _sender(endpoint: str, headers: Mapping[str, str]) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint, headers=dict(headers))


class TokenExporter(SpanExporter):
    """Gets a token for its key, sends with it, and gets another one when spans are not taken any more."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], exchange: TokenExchange) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._exchange = exchange
        self._lock = Lock()
        self._open: SpanExporter | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock:
            old = self._open
            if old is not None and old.export(spans) is SpanExportResult.SUCCESS:
                return SpanExportResult.SUCCESS
            self._close()
            token = self._token()
            if token is None:
                return SpanExportResult.FAILURE
            headers = {**self._headers, "authorization": f"Bearer {token}"}
            self._open = _sender(self._endpoint, headers)
            return self._open.export(spans)

    def _token(self) -> str | None:
        """None where there is none to be had now; whoever exports tries again later."""
        url, key = self._exchange
        try:
            answer = httpx2.post(url, json={"api_key": key}, timeout=PATIENCE)
            told: Any = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError):
            return None
        token = told.get("token") if isinstance(told, dict) else None
        return token if isinstance(token, str) and token else None

    def _close(self) -> None:
        if self._open is not None:
            self._open.shutdown()
            self._open = None

    def shutdown(self) -> None:
        with self._lock:
            self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back."""
        return True
