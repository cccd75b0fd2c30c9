"""Which sinks are open, what they want, and what a decision leaves for them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from mutx.governance.keys import KeyRing
from mutx.governance.types import Door, ToolCall
from mutx.kit.clock import ManualClock
from mutx.server.audit import open_trail
from mutx.server.settings import Settings
from mutx.server.sinks import open_sinks, topics_of
from mutx.server.wiring import build
from mutx.services.identity.sealing import Sealer
from mutx.services.signing import EphemeralSigner
from mutx.storage.coordination import LocalBus
from mutx.storage.sqlite_database import SqliteDatabase

WEBHOOK = {"approval_webhook_url": "https://example.com/", "approval_webhook_secret": SecretStr("whsec_c2VjcmV0")}


@pytest.mark.parametrize(
    ("more", "names", "topics"),
    [
        ({}, ["audit"], {"audit."}),
        ({"smtp_host": "localhost"}, ["audit", "mail"], {"audit.", "aarm.approval"}),
        (WEBHOOK, ["audit", "webhook"], {"audit.", "aarm.approval"}),
        ({"otlp_endpoint": "http://127.0.0.1:4318/v1/traces"}, ["audit", "otlp"], {"audit.", "aarm."}),
        ({"siem_syslog": "tcp://127.0.0.1:601"}, ["audit", "syslog"], {"audit.", "aarm."}),
        ({"siem_http_url": "https://siem.example.com/"}, ["audit", "siem-http"], {"audit.", "aarm."}),
        ({"event_log": Path("events.jsonl")}, ["audit", "log"], None),
    ],
)
def test_what_sinks_want(more: dict[str, object], names: list[str], topics: set[str] | None, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, **more)  # type: ignore[arg-type]
    database, clock, signer = SqliteDatabase(settings.url), ManualClock(), EphemeralSigner()
    trail = open_trail(database, signer, KeyRing((signer.public_key,)), Sealer([bytes(range(32))]), clock)
    sinks = open_sinks(settings, database, LocalBus(), clock, trail)
    assert [sink.name for sink in sinks] == names
    assert topics_of(sinks) == topics


async def test_by_default_a_decision_leaves_no_news(tmp_path: Path) -> None:
    plane = await build(Settings(home=tmp_path / "home"))
    try:
        ledger, caller = plane.services.ledger, plane.local_agent(Door.EMBEDDED)
        before = await ledger.events("newcomer", 100)
        call = ToolCall(tool_name="read", agent_id="agent", session_id="session")
        decided = await plane.services.pipeline.decide(call, caller)
        assert await ledger.receipt(caller.workspace_id, decided.receipt_id) is not None
        assert await ledger.events("newcomer", 100) == before
    finally:
        await plane.stop()
