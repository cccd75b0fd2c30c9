"""Spans reach the observability products as their intakes ask for them."""

from base64 import b64decode

import pytest

from mutx.kit.errors import SetupError
from mutx.server.collector import collector_of
from mutx.server.settings import Settings
from mutx.services.telemetry.collectors import read_headers
from mutx.services.telemetry.otlp import OtlpSink
from tests.conformance.scribe import Scribe
from tests.services.telemetry.receivers import Received
from tests.services.telemetry.test_otlp import spans


def settings(**given: str) -> Settings:
    return Settings.model_validate(given)


@pytest.mark.parametrize(
    ("preset", "project", "endpoint", "routed", "scheme"),
    [
        (
            "braintrust",
            "shop",
            "https://api.braintrust.dev/otel/v1/traces",
            ("x-bt-parent", "project_name:shop"),
            "Bearer",
        ),
        ("weave", "team/shop", "https://trace.wandb.ai/otel/v1/traces", ("project_id", "team/shop"), "Basic"),
    ],
)
async def test_a_preset_authenticates_and_names_the_project(
    preset: str, project: str, endpoint: str, routed: tuple[str, str], scheme: str, scribe: Scribe, receiver: Received
) -> None:
    given = {"otlp_preset": preset, "otlp_api_key": "k-1", "otlp_project": project}
    known = collector_of(settings(**given))
    assert known is not None
    assert known.endpoint == endpoint
    here = collector_of(settings(**given, otlp_endpoint=f"{receiver.url}/v1/traces", otlp_headers="x-extra=1"))
    assert here is not None
    decided = await scribe.allow()
    await OtlpSink(*here).send([*decided.events, *(await scribe.conclude(decided)).events])
    _, headers, _ = receiver.requests[0]
    assert headers[routed[0]] == routed[1]
    assert headers["x-extra"] == "1"
    word, _, credential = headers["authorization"].partition(" ")
    assert word == scheme
    assert credential == "k-1" or b64decode(credential) == b"api:k-1"
    call = spans(receiver)[-1]
    assert call.name == "execute_tool mail.send"
    assert any(item.key == "mutx.receipt_id" for span in spans(receiver) for item in span.attributes)


def test_headers_are_written_as_opentelemetry_writes_them() -> None:
    assert read_headers(" Authorization=Bearer%20k%2C1 , x-a=b=c,") == {"authorization": "Bearer k,1", "x-a": "b=c"}
    for text in ("nothing", "=value"):
        with pytest.raises(SetupError, match="name=value"):
            read_headers(text)


def test_a_preset_needs_its_key_and_its_project() -> None:
    for given in ({}, {"otlp_api_key": "k"}, {"otlp_project": "p"}):
        with pytest.raises(SetupError, match="OTLP_API_KEY and OTLP_PROJECT"):
            collector_of(settings(otlp_preset="weave", **given))
    with pytest.raises(ValueError, match="pattern"):
        settings(otlp_preset="another")
    assert collector_of(settings()) is None
    plain = collector_of(settings(otlp_endpoint="http://collector:4318/v1/traces", otlp_headers="a=b"))
    assert plain == ("http://collector:4318/v1/traces", {"a": "b"})
