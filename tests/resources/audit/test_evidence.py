"""The log as a file that proves itself, with nothing but the file and a public key."""

import json
from typing import Any

import pytest

from mutx.governance.audit.verify import EvidenceReport, verify_evidence
from mutx.governance.keys import KeyRing
from mutx.kit.canonical import canonical
from mutx.services.signing import EphemeralSigner
from tests.resources.governed import AGENT, SESSION, Governed, Somebody
from tests.server.plane import on_both

Lines = list[dict[str, Any]]


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    """Two sessions of decisions; changes and an agent's own words beside them."""
    ana = await plane.person()
    await ana.apply()
    agent = plane.agent(ana)
    await plane.conclude(agent, await plane.decide(agent, "read_stock", item="tea"))
    await plane.decide(agent, "drop", "evening")
    await ana.post("/v1/audit/events", {"event_type": "LLM_CALL", "agent_id": AGENT, "session_id": SESSION})
    return ana


async def _lines(ana: Somebody, **which: str) -> Lines:
    answer = await ana.get("/v1/audit/evidence", **which)
    assert answer.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in answer.text.splitlines()]


def _check(plane: Governed, lines: Lines, keys: KeyRing | None = None) -> EvidenceReport:
    data = b"".join(canonical(line) + b"\n" for line in lines)
    return verify_evidence(data, plane.services.keys if keys is None else keys)


@on_both
async def test_a_whole_log_verifies(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    report = _check(plane, lines)
    assert (report.verdict, report.errors) == ("verified", ())
    assert (report.entries, report.withheld, report.receipts, report.sessions) == (3, 0, 3, 2)
    assert report.workspace == ana.workspace_id
    assert report.stated_at is not None


async def test_without_a_trusted_key_it_proves_too_little(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    report = _check(plane, lines, KeyRing())
    assert (report.verdict, report.entries) == ("incomplete", 3)
    assert "no trusted key" in report.errors[0]
    lines[2]["content"]["actor_id"] = "somebody-else"
    assert _check(plane, lines, KeyRing()).verdict == "failed"
    stranger = _check(plane, await _lines(ana), KeyRing((EphemeralSigner().public_key,)))
    assert stranger.verdict == "failed"


async def test_any_line_that_is_changed_or_missing_shows(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    for number in range(len(lines)):
        assert _check(plane, lines[:number] + lines[number + 1 :]).verdict == "failed", lines[number]
    part = await _lines(ana, session_id=SESSION)  # header, three entries, two receipts, heads
    for number in (1, 2, 4):
        swapped = [*part[:number], part[number + 1], part[number], *part[number + 2 :]]
        assert _check(plane, swapped).verdict == "failed", number


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("entry", "at"), "2020-01-01T00:00:00.000000Z"),
        (("entry", "retention"), "audit"),
        (("entry", "content"), "0" * 64),
        (("entry", "prev"), "0" * 64),
        (("entry", "workspace"), "another"),
        (("entry", "v"), 2),
        (("content", "actor_id"), "nobody"),
        (("content", "payload"), {}),
        (("salt",), "0" * 32),
        (("salt",), None),
    ],
)
async def test_any_field_that_is_changed_shows(
    plane: Governed, ana: Somebody, place: tuple[str, ...], value: object
) -> None:
    lines = await _lines(ana)
    spot = lines[2]
    for name in place[:-1]:
        spot = spot[name]
    spot[place[-1]] = value
    assert _check(plane, lines).verdict == "failed"


async def test_a_content_may_be_left_out(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    for line in lines[1:4]:
        del line["content"], line["salt"]
    report = _check(plane, lines)
    assert (report.verdict, report.withheld) == ("verified", 3)


async def test_one_session_is_evidence_of_itself(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana, session_id=SESSION)
    report = _check(plane, lines)
    assert (report.verdict, report.sessions, report.receipts, report.withheld) == ("verified", 1, 2, 2)
    assert "evening" not in json.dumps(lines)


async def test_a_time_is_evidence_of_itself(plane: Governed, ana: Somebody) -> None:
    plane.clock.advance(60)
    await plane.decide(plane.agent(ana), "drop", "night")
    later = await _lines(ana, time_range_start="2027-01-15T08:00:30Z")
    report = _check(plane, later)
    assert (report.verdict, report.sessions, report.withheld) == ("verified", 1, 3)
    earlier = await _lines(ana, time_range_end="2027-01-15T08:00:30Z")
    assert _check(plane, earlier).sessions == 2


async def test_heads_of_the_wrong_kind_are_refused(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    heads = lines[-1]["head"]
    swapped = {"entries": heads["sessions"], "sessions": heads["entries"]}
    assert len(_check(plane, [*lines[:-1], {"head": swapped}]).errors) >= 2
    unsigned = {**heads, "entries": None}
    assert "is not signed" in _check(plane, [*lines[:-1], {"head": unsigned}]).errors[0]


async def test_receipts_of_no_stated_session_are_refused(plane: Governed, ana: Somebody) -> None:
    whole, part = await _lines(ana), await _lines(ana, session_id=SESSION)
    foreign = next(line for line in whole if "receipt" in line and line not in part)
    assert "stands in no signed statement" in _check(plane, [*part[:-1], foreign, part[-1]]).errors[0]


async def test_a_log_without_entries_verifies(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    kept = [line for line in lines if "entry" not in line]
    kept[-1]["head"]["entries"] = None
    report = _check(plane, kept)
    assert (report.verdict, report.entries, report.stated_at) == ("verified", 0, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1"),
        (b"{}", "no audit export"),
        (b'{"format": "mutx.audit/1"}', "canonical form"),
        (b"\xff\xfe", "line 1"),
        (b'{"entry":{"at":1}}', "line 1"),
        (b"[" * 100_000, "line 1"),
    ],
)
def test_what_is_no_file_of_evidence_is_refused(data: bytes, said: str) -> None:
    report = verify_evidence(data, KeyRing())
    assert report.verdict == "failed"
    assert said in report.errors[0]


async def test_keys_in_the_file_must_be_what_they_say(plane: Governed, ana: Somebody) -> None:
    lines = await _lines(ana)
    lines[0]["keys"][0]["kid"] = "mutx-" + "0" * 32
    assert "really" in _check(plane, lines).errors[0]


async def test_a_file_is_bounded(plane: Governed, ana: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutx.governance.audit.evidence.MAX_EVIDENCE_BYTES", 10)
    assert "larger than 10 bytes" in _check(plane, await _lines(ana)).errors[0]
    monkeypatch.setattr("mutx.resources.audit.evidence.MAX_LINES", 4)
    assert (await ana.get("/v1/audit/evidence")).json()["code"] == "too_large"


async def test_evidence_is_for_who_may_see_everything(plane: Governed, ana: Somebody) -> None:
    made = (await ana.post("/v1/agents/register", {"name": "worker"})).json()
    refused = await plane.client(made["api_key"]).get("/v1/audit/evidence")
    assert refused.status_code == 403
