"""What watches the whole suite does see a secret that gets out."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from mutx.server.app import ControlPlaneApp
from mutx.services.telemetry import redaction
from tests.server.plane import PASSWORD, Plane, running
from tests.witness import Witness, watch_requests


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home") as made:
        yield made


async def test_credentials_and_passwords_are_known_as_secrets(plane: Plane, witness: Witness) -> None:
    ana = await plane.register()
    key = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()["key"]
    assert witness.secrets >= {PASSWORD, ana.tokens["access_token"], ana.tokens["refresh_token"], key}
    assert witness.leaks() == []


async def test_a_secret_in_a_log_line_or_an_error_is_found(
    plane: Plane, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await plane.register()
    monkeypatch.setattr(redaction, "redact_text", lambda text: text)
    structlog.stdlib.get_logger("mutx.test").info("signed in", how=PASSWORD)
    logging.getLogger("other").warning("sent %s", ana.tokens["access_token"])
    assert len(witness.leaks()) == 2


async def test_an_error_that_repeats_what_was_sent_is_found() -> None:
    class Echo:
        async def __call__(self, scope, receive, send) -> None:
            body = (await receive())["body"]
            await send({"type": "http.response.start", "status": 422, "headers": []})
            await send({"type": "http.response.body", "body": body})

    async def receive():
        return {"type": "http.request", "body": b'{"password": "open sesame 12"}'}

    async def send(_message) -> None: ...

    own = Witness()
    watch_requests(own, Echo)
    await Echo()({"type": "http", "headers": [(b"authorization", b"Bearer abcdefghijkl")]}, receive, send)
    assert own.secrets == {"abcdefghijkl", "open sesame 12"}
    assert len(own.leaks()) == 1
    own.forget_chosen()
    assert own.secrets == {"abcdefghijkl"}


def test_planes_and_exporters_are_watched() -> None:
    assert ControlPlaneApp.__call__.__module__ == "tests.witness"
    assert OTLPSpanExporter.export.__module__ == "tests.witness"
