"""Spans reach the observability products as their intakes ask for them."""

import asyncio
import json
from base64 import b64decode

import pytest

from mutx.kit.errors import SetupError, Unavailable
from mutx.server.collector import collector_of
from mutx.server.settings import Settings
from mutx.services.telemetry.collectors import TokenExchange, read_headers
from mutx.services.telemetry.otlp import OtlpSink
from mutx.services.telemetry.tracing import RequestTracer
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


async def test_helicone_gets_the_key_in_the_region_where_it_is_at_home(scribe: Scribe, receiver: Received) -> None:
    given = {"otlp_preset": "helicone", "otlp_api_key": "sk-helicone-1", "otlp_project": "shop"}
    known = collector_of(settings(**given))
    assert known is not None
    assert known.endpoint == "https://api.helicone.ai/v1/trace/log-python"
    europe = collector_of(settings(otlp_preset="helicone", otlp_api_key="sk-helicone-eu-1"))
    assert europe == (
        "https://eu.api.helicone.ai/v1/trace/log-python",
        {"authorization": "Bearer sk-helicone-eu-1"},
        None,
    )
    here = collector_of(settings(**given, otlp_endpoint=f"{receiver.url}/v1/traces"))
    assert here is not None
    decided = await scribe.allow()
    await OtlpSink(*here).send([*decided.events, *(await scribe.conclude(decided)).events])
    headers = receiver.requests[0][1]
    assert (headers["authorization"], headers["helicone-property-project"]) == ("Bearer sk-helicone-1", "shop")
    assert spans(receiver)[-1].name == "execute_tool mail.send"


class Issuer:
    """AgentOps as far as it matters here: it gives tokens for one key, and takes spans with the newest of them."""

    def __init__(self, receiver: Received) -> None:
        receiver.respond = self.respond
        self.receiver, self.issued, self.expired = receiver, 0, False

    def respond(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if path == "/v3/auth/token":
            if json.loads(self.receiver.requests[-1][2]) != {"api_key": "k-1"}:
                return 403, b"{}"
            self.issued, self.expired = self.issued + 1, False
            return 200, json.dumps({"token": f"t-{self.issued}", "project_id": "p"}).encode()
        return (401 if self.expired or headers["authorization"] != f"Bearer t-{self.issued}" else 200), b""

    def sink(self, key: str = "k-1") -> OtlpSink:
        given = {"otlp_preset": "agentops", "otlp_api_key": key}
        addresses = {
            "otlp_endpoint": f"{self.receiver.url}/v1/traces",
            "otlp_token_url": f"{self.receiver.url}/v3/auth/token",
        }
        found = collector_of(settings(**given, **addresses))
        assert found is not None
        return OtlpSink(*found)


async def test_agentops_gets_spans_with_a_token_that_is_renewed_when_it_is_not_taken_any_more(
    scribe: Scribe, receiver: Received
) -> None:
    issuer = Issuer(receiver)
    sink, decided = issuer.sink(), await scribe.allow()
    await sink.send(decided.events)
    await sink.send((await scribe.conclude(decided)).events)
    assert issuer.issued == 1
    issuer.expired = True
    await sink.send(decided.events)
    assert issuer.issued == 2
    assert [path for path, _, _ in receiver.requests].count("/v1/traces") == 4


async def test_without_a_token_spans_are_kept_for_later(scribe: Scribe, receiver: Received) -> None:
    decided = await scribe.allow()
    with pytest.raises(Unavailable):
        await Issuer(receiver).sink("k-of-somebody-else").send(decided.events)
    issuer = Issuer(receiver)
    for answer in (b'["no object"]', b"no JSON"):
        receiver.respond = lambda path, headers, answer=answer: (200, answer)
        with pytest.raises(Unavailable):
            await issuer.sink().send(decided.events)
    assert not any(path == "/v1/traces" for path, _, _ in receiver.requests)


async def test_a_tracer_of_requests_gets_a_token_as_well(receiver: Received) -> None:
    Issuer(receiver)
    exchange = TokenExchange(f"{receiver.url}/v3/auth/token", "k-1")
    tracer = RequestTracer(f"{receiver.url}/v1/traces", {}, exchange)
    tracer.begin(None).end()
    await asyncio.to_thread(tracer.close)
    assert [path for path, _, _ in receiver.requests] == ["/v3/auth/token", "/v1/traces"]


def test_agentops_addresses_of_ones_own_come_in_pairs() -> None:
    known = collector_of(settings(otlp_preset="agentops", otlp_api_key="k"))
    exchange = TokenExchange("https://api.agentops.ai/v3/auth/token", "k")
    assert known == ("https://otlp.agentops.ai/v1/traces", {}, exchange)
    with pytest.raises(SetupError, match="both of OTLP_ENDPOINT and OTLP_TOKEN_URL"):
        collector_of(settings(otlp_preset="agentops", otlp_api_key="k", otlp_endpoint="http://collector/v1/traces"))
    with pytest.raises(SetupError, match=r"OTLP_PRESET=agentops needs OTLP_API_KEY$"):
        collector_of(settings(otlp_preset="agentops"))


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
    assert plain == ("http://collector:4318/v1/traces", {"a": "b"}, None)
