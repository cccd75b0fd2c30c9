"""Sees everything that control planes of this process emit while the tests run, and fails the test that lets a secret out.

Secrets are what requests brought along (credentials, cookies, passwords) and what answers handed over (tokens, keys).
None of them may stand in a log line as it is written, in a span that is exported, or in the body of an error. The
fixture is in force in every test; `tests/test_witness.py` shows that it catches what it is there for.
"""

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import structlog

from mutx.server.logging import formatter, processors

FIELDS = "password|new_password|current_password|access_token|refresh_token|api_key|client_secret|key|secret"
IN_BODY = re.compile(rf'"(?:{FIELDS})"\s*:\s*"([^"\\]{{10,}})"'.encode())
LEAST = 10
"""Characters; what is shorter, or of very few different ones, stands in texts by accident."""
LARGEST = 65_536
"""Bytes of a body that are looked at."""


class Witness(logging.Handler):
    """What was said, and what must not be in it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(formatter())
        self.secrets: set[str] = set()
        self._chosen: set[str] = set()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))

    def learn(self, secrets: Iterable[bytes], *, chosen: bool = False) -> None:
        """`chosen`: by whoever sent them, so that anything else may be called the same."""
        for secret in secrets:
            text = secret.decode("utf-8", "replace").strip()
            if len(text) >= LEAST and len(set(text)) >= LEAST // 2 and text not in self.secrets:
                self.secrets.add(text)
                if chosen:
                    self._chosen.add(text)

    def forget_chosen(self) -> None:
        """For requests that are drawn at random: a later one's agent may well bear an earlier one's password as its name."""
        self.secrets -= self._chosen
        self._chosen.clear()

    def leaks(self) -> list[str]:
        """What was said with a secret in it. Forgets what was said, keeps the secrets."""
        said, self.said = self.said, []
        everything = "\n".join(said)
        found = [secret for secret in self.secrets if secret in everything]
        return [text for text in said if any(secret in text for secret in found)]


def watch_requests(witness: Witness, app_class: Any) -> None:
    """Let `witness` learn from every request and answer, and read every error."""
    original = app_class.__call__

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await original(self, scope, receive, send)
            return
        witness.learn(_credentials(scope["headers"]))
        status, answered, asked = 0, bytearray(), bytearray()

        async def receiving() -> Any:
            message = await receive()
            if len(asked) < LARGEST:
                asked.extend(message.get("body", b""))
            return message

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                witness.learn(value.split(b";")[0].partition(b"=")[2] for value in _values(message, b"set-cookie"))
            elif len(answered) < LARGEST:
                answered.extend(message.get("body", b""))
            await send(message)

        try:
            await original(self, scope, receiving, sending)
        finally:
            witness.learn(IN_BODY.findall(bytes(asked)), chosen=True)
            if status < 400:
                witness.learn(IN_BODY.findall(bytes(answered)))
            else:
                witness.said.append(answered.decode("utf-8", "replace"))

    app_class.__call__ = call


def _values(message: Any, name: bytes) -> list[bytes]:
    return [value for key, value in message.get("headers", ()) if key == name]


def _credentials(headers: Any) -> Iterator[bytes]:
    for name, value in headers:
        if name == b"authorization":
            yield value.partition(b" ")[2]
        elif name == b"x-api-key":
            yield value
        elif name == b"cookie":
            yield from (part.partition(b"=")[2] for part in value.split(b";"))


def watch_spans(witness: Witness, exporter_class: Any) -> None:
    original = exporter_class.export

    def export(self: Any, spans: Any) -> Any:
        witness.said.extend(span.to_json() for span in spans)
        return original(self, spans)

    exporter_class.export = export


WATCHED = {
    ("mutx.server.app", "ControlPlaneApp"): watch_requests,
    ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter"): watch_spans,
}
"""Watched once they are loaded: a test of something else does not load them for this."""


def watch_what_is_loaded(witness: Witness, watched: set[str]) -> None:
    for (module, name), start in WATCHED.items():
        if name not in watched and module in sys.modules:
            watched.add(name)
            start(witness, getattr(sys.modules[module], name))


@pytest.fixture(scope="session")
def session_witness() -> tuple[Witness, set[str]]:
    witness = Witness()
    logging.getLogger("mutx").setLevel(logging.INFO)
    return witness, set()


@pytest.fixture(autouse=True)
def witness(session_witness: tuple[Witness, set[str]]) -> Iterator[Witness]:
    """In force around every test."""
    made, watched = session_witness
    watch_what_is_loaded(made, watched)
    # A command that ran in this process may have sent its logs to a stream that is closed by now.
    if not isinstance(structlog.get_config()["logger_factory"], structlog.stdlib.LoggerFactory):
        wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, *processors(), wrap],
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )
    logging.getLogger().addHandler(made)
    yield made
    logging.getLogger().removeHandler(made)
    leaked = made.leaks()
    assert not leaked, f"a secret stands in {len(leaked)} of the texts that were emitted, first: {leaked[0][:2000]}"
