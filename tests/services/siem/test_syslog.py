"""Syslog to a real TLS collector: framing, trust, and nothing lost while it is away."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from mutx.governance.turn import Event
from mutx.kit.errors import Unavailable
from mutx.resources.audit.trail import HEAD_INVALID
from mutx.services.siem.formats import MAX_LINE, SiemFormat, formatter
from mutx.services.siem.syslog import SyslogSink, tls_context, told
from mutx.storage.outbox import OutboxPump
from tests.conformance.scribe import Scribe
from tests.services.siem.collector import collecting, make_certificate

RFC5424 = re.compile(r"<(\d+)>1 (\S+) (\S+) mutx - (\S+) - \ufeff(.*)", re.DOTALL)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def event(name: str = "LOGIN", at: float = 1_800_000_000.25, **said: object) -> Event:
    payload = {"event_type": name, "actor_type": "person", "actor_id": "ana", **said}
    return Event(topic="audit.login", workspace_id="ws-1", at=at, payload=payload)


def sink(port: int, certificate: tuple[Path, Path] | None, seconds: float = 10.0) -> SyslogSink:
    tls = None if certificate is None else tls_context(str(certificate[0]), None, None)
    return SyslogSink("127.0.0.1", port, formatter(SiemFormat.JSON), tls, seconds=seconds)


@pytest.mark.parametrize("encrypted", [True, False])
async def test_each_event_is_one_framed_message(certificate: tuple[Path, Path], encrypted: bool) -> None:
    used = certificate if encrypted else None
    async with collecting(used) as collector:
        hostile = event(comment="two\nlines, 7 <13>1 and ünïcode")
        await sink(collector.port, used).send([event(), hostile, event(HEAD_INVALID)])
    assert (len(collector.messages), collector.connections, collector.broken) == (3, 1, 0)
    read = [RFC5424.fullmatch(message) for message in collector.messages]
    assert [(found[1], found[4]) for found in read if found] == [
        ("110", "LOGIN"),
        ("110", "LOGIN"),
        ("106", HEAD_INVALID),
    ]
    assert read[0] is not None
    assert read[0][2] == "2027-01-15T08:00:00.250000Z"
    assert read[1] is not None
    assert json.loads(read[1][5])["payload"]["comment"].endswith("ünïcode")


async def test_a_collector_that_nobody_vouches_for_gets_nothing(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    async with collecting(make_certificate(tmp_path)) as impostor:
        with pytest.raises(Unavailable, match="sent again later"):
            await sink(impostor.port, certificate).send([event()])
    assert impostor.messages == []


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "127.0.0.2")
    async with collecting(other) as impostor:
        with pytest.raises(Unavailable):
            await sink(impostor.port, other).send([event()])
    assert impostor.messages == []


async def test_a_batch_that_was_cut_off_counts_as_not_taken(certificate: tuple[Path, Path]) -> None:
    many = [event(at=float(number), text="x" * 5000) for number in range(200)]
    async with collecting(certificate) as collector:
        collector.drop_after = 1
        with pytest.raises(Unavailable):
            await sink(collector.port, certificate).send(many)
        collector.drop_after = None
        await sink(collector.port, certificate).send(many)
    assert len(collector.messages) == 201


async def test_a_collector_that_never_answers_holds_nothing_up() -> None:
    given_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await given_up.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    with pytest.raises(Unavailable):
        await sink(server.sockets[0].getsockname()[1], None, seconds=0.2).send([event()])
    given_up.set()
    await asyncio.sleep(0.01)
    server.close()


async def test_nothing_is_lost_while_the_collector_is_away(certificate: tuple[Path, Path], scribe: Scribe) -> None:
    """Down, dying as it starts, up: decisions go on meanwhile, and every event arrives, in order."""
    async with collecting(certificate) as first:
        port = first.port
    pump = OutboxPump(scribe.ledger, [sink(port, certificate)], idle=0.01, retry=0.01)
    running = asyncio.create_task(pump.run())
    turns = [await scribe.allow(), (await scribe.wait())[0]]
    dying = await asyncio.start_server(_die, "127.0.0.1", port)
    await asyncio.sleep(0.05)
    turns.append(await scribe.allow())
    dying.close()
    await dying.wait_closed()
    async with collecting(certificate, port) as second:
        await second.until(turns[-1].id)
    pump.stop()
    await running
    arrived = [json.loads(message.partition("\ufeff")[2])["event_id"] for message in second.messages]
    assert list(dict.fromkeys(arrived)) == [one.event_id for turn in turns for one, _ in told(turn.events)]


async def _die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def test_what_is_told_twice_is_sent_once() -> None:
    twice = Event(topic="audit.approval", workspace_id="ws-1", at=1.0, payload={"event_type": "APPROVAL"})
    await SyslogSink("127.0.0.1", 1, formatter(SiemFormat.CEF), None).send([twice])  # nothing to say: nobody is called


def test_an_event_that_is_too_long_is_sent_without_its_payload() -> None:
    (said, where), *_ = told([event(text="x" * MAX_LINE)])
    line = formatter(SiemFormat.JSON)(said, where)
    assert json.loads(line)["payload"] == {"left_out": "too long"}
    assert json.loads(line)["event_id"] == said.event_id


def test_a_client_certificate_is_shown_where_there_is_one(certificate: tuple[Path, Path]) -> None:
    tls_context(str(certificate[0]), str(certificate[0]), str(certificate[1]))
    with pytest.raises(OSError):
        tls_context(str(certificate[1]) + ".none", None, None)
