"""Approvers hear of questions, by mail and by webhook; nobody is led into the house."""

import json
import socket
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address

import pytest
from aiosmtpd.controller import Controller
from msgspec.structs import replace
from standardwebhooks import Webhook

from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import Event, RequestStatus
from mutx.kit.clock import SystemClock
from mutx.kit.errors import InputError, Unavailable
from mutx.services.mail import Mailer, MailServer
from mutx.services.telemetry.notify import MailSink, WebhookSink
from mutx.services.telemetry.outward import outside, resolve
from tests.conformance.scribe import Scribe
from tests.services.telemetry.receivers import Received

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[attr-defined]
        self.mails.append((envelope.rcpt_tos, message))  # type: ignore[attr-defined, arg-type]
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()


async def approvers(event: Event) -> Sequence[str]:
    return ["ann@example.com"] if event.workspace_id == "ws-1" else []


async def story(scribe: Scribe) -> list[Event]:
    """A question, a vote, an escalation, an answer."""
    turn, request = await scribe.wait()
    tell = TelemetryExporter().request_events
    now = scribe.clock.now()
    escalated = replace(request, revision=1, escalated_at=now + 1)
    answered = replace(request, revision=2, status=RequestStatus.APPROVED, decided_at=now + 2)
    return [*turn.events, *tell(escalated), *tell(answered)]


async def test_a_mail_for_the_question_and_one_when_it_escalates(scribe: Scribe, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    events = await story(scribe)
    sink = MailSink(Mailer(MailServer(host="127.0.0.1", port=port)), approvers, link="https://mutx.example/approvals/")
    await sink.send(events)
    assert [to for to, _ in box.mails] == [["ann@example.com"]] * 2
    first, second = (mail for _, mail in box.mails)
    assert first["subject"] == "mail.send needs an approval"
    assert second["subject"] == "Still waiting: mail.send needs an approval"
    text = first.get_content()
    assert f"mutx approve {events[2].payload['request_id']}" in text
    assert "https://mutx.example/approvals/" in text
    await sink.send([replace(event, workspace_id="ws-2") for event in events])
    assert len(box.mails) == 2


async def test_a_name_cannot_forge_a_header(scribe: Scribe, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    events = await story(scribe)
    events[2].payload["tool_name"] = "x\r\nBcc: eve@example.com\r\n\r\nhello"
    await MailSink(Mailer(MailServer(host="127.0.0.1", port=port)), approvers).send(events[2:3])
    mail = box.mails[0][1]
    assert mail["bcc"] is None
    assert mail["subject"].startswith("x Bcc: eve@example.com hello")


async def test_a_mail_server_that_is_away_is_tried_again_later(scribe: Scribe) -> None:
    with pytest.raises(Unavailable, match="mail server"):
        await MailSink(Mailer(MailServer(host="127.0.0.1", port=1)), approvers).send(await story(scribe))


async def test_a_webhook_is_signed_and_names_each_notice_once(scribe: Scribe, receiver: Received) -> None:
    events = await story(scribe)
    sink = WebhookSink(f"{receiver.url}/hook?x=1", SECRET, SystemClock(), private=True)
    await sink.send(events)
    await sink.send(events[2:3])
    assert [path for path, _, _ in receiver.requests] == ["/hook?x=1"] * 3
    for _, headers, body in receiver.requests:
        assert Webhook(SECRET).verify(body, headers)["type"] == "aarm.approval"
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids[0] == ids[2] != ids[1]
    assert json.loads(receiver.requests[0][2])["data"]["event"] == "requested"


@pytest.mark.parametrize("status", [302, 500])
async def test_a_webhook_that_does_not_accept_is_tried_again_later(
    scribe: Scribe, receiver: Received, status: int
) -> None:
    receiver.status = status
    sink = WebhookSink(receiver.url, SECRET, SystemClock(), private=True)
    with pytest.raises(Unavailable, match=str(status)):
        await sink.send(await story(scribe))


async def test_a_webhook_that_is_away_is_tried_again_later(scribe: Scribe) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        await WebhookSink("http://127.0.0.1:1/", SECRET, SystemClock(), private=True).send(await story(scribe))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "http://169.254.1.1/"])
async def test_a_webhook_does_not_lead_inside(scribe: Scribe, url: str) -> None:
    with pytest.raises(InputError, match="private address"):
        await WebhookSink(url, SECRET, SystemClock()).send(await story(scribe))


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "http://"])
async def test_only_http_goes_out(url: str) -> None:
    with pytest.raises(InputError, match="http"):
        await resolve(url, private=True)


async def test_the_address_is_pinned_and_the_name_kept() -> None:
    target = await resolve("https://user@localhost:8443/a?b=c", private=True)
    assert target.url.host in ("127.0.0.1", "::1")
    assert (target.host, target.name, target.url.port) == ("localhost:8443", "localhost", 8443)
    with pytest.raises(Unavailable, match="no address"):
        await resolve("http://nowhere.invalid/", private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("10.0.0.1", False),
        ("224.0.0.1", False),
        ("2606:4700::1111", True),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
    ],
)
def test_what_lies_outside(address: str, public: bool) -> None:
    assert outside(ip_address(address)) is public
