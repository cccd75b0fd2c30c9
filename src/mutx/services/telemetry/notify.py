"""Notices to approvers: a question was put, or nobody answered it in time. By mail, or to a webhook."""

from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage

import aiosmtplib
import httpx2
import msgspec
from msgspec import Struct
from standardwebhooks import Webhook

from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Unavailable
from mutx.services.telemetry.outward import resolve

TOPIC = "aarm.approval"
SECONDS = 10.0

Approvers = Callable[[Event], Awaitable[Sequence[str]]]
"""The mail addresses of those who may answer an approval event."""


def asks(event: Event) -> bool:
    """Whether somebody is to be told: a request was opened or has escalated."""
    return event.topic == TOPIC and event.payload["event"] in ("requested", "escalated")


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed in, and as whom. `tls`: from the first byte; else STARTTLS where the server offers it."""

    host: str
    port: int = 25
    sender: str = "mutx@localhost"
    username: str | None = None
    password: str | None = None
    tls: bool = False


class MailSink:
    """One mail per question."""

    name = "mail"
    topics: frozenset[str] | None = frozenset({TOPIC})

    def __init__(self, server: MailServer, approvers: Approvers, *, link: str = "") -> None:
        """`link`: where requests are answered in a browser, if anywhere; the request id is appended."""
        self._server = server
        self._approvers = approvers
        self._link = link

    async def send(self, events: Sequence[Event]) -> None:
        for event in filter(asks, events):
            recipients = await self._approvers(event)
            if recipients:
                await self._mail(self._message(event), recipients)

    async def _mail(self, message: EmailMessage, recipients: Sequence[str]) -> None:
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                sender=server.sender,
                recipients=list(recipients),
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                timeout=SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable("the mail server did not take the notice; it is sent again later") from error

    def _message(self, event: Event) -> EmailMessage:
        payload = event.payload
        message = EmailMessage()
        late = "Still waiting: " if payload["event"] == "escalated" else ""
        message["Subject"] = _line(f"{late}{payload['tool_name']} needs an approval")
        message["From"] = self._server.sender
        message["To"] = "undisclosed-recipients:;"
        message["Message-ID"] = f"<{_message_id(event)}@mutx>"
        lines = [
            f"Agent {payload['agent_id']} wants to call {payload['tool_name']}.",
            f"Why it asks: {payload['reason']}",
            f"Answer before {payload['expires_at']}:",
            f"    mutx approve {payload['request_id']}",
            f"    mutx deny {payload['request_id']}",
        ]
        if self._link:
            lines.append(f"or at {self._link}{payload['request_id']}")
        message.set_content("\n".join(_line(line) for line in lines) + "\n")
        return message


class WebhookSink:
    """One signed POST per question (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`)."""

    name = "webhook"
    topics: frozenset[str] | None = frozenset({TOPIC})

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        *,
        private: bool = False,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        """`secret`: `whsec_` and base64. `private` admits addresses inside one's own network."""
        self._url = url
        self._signer = Webhook(secret)
        self._clock = clock
        self._private = private
        self._client = client or httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)

    async def send(self, events: Sequence[Event]) -> None:
        for event in filter(asks, events):
            await self._post(event)

    async def _post(self, event: Event) -> None:
        now = to_datetime(self._clock.now())
        body = msgspec.json.encode({"type": event.topic, "timestamp": event.at, "data": event.payload}).decode()
        name = _message_id(event)
        target = await resolve(self._url, private=self._private)
        headers = {
            "content-type": "application/json",
            "host": target.host,
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(name, now, body),
        }
        pinned = {"sni_hostname": target.name}
        try:
            async with self._client.stream(
                "POST", target.url, content=body, headers=headers, extensions=pinned
            ) as response:
                status = response.status_code
        except httpx2.HTTPError as error:
            raise Unavailable("the webhook did not answer; the notice is sent again later") from error
        if not httpx2.codes.is_success(status):
            raise Unavailable(f"the webhook answered {status}; the notice is sent again later")


def _message_id(event: Event) -> str:
    """The same for every delivery of one notice, so that receivers can drop repetitions."""
    payload = event.payload
    return "msg_" + digest([payload["request_id"], payload["event"], payload["status"]])[:32]


def _line(text: str) -> str:
    """One line, whatever the agent put into a name."""
    return " ".join(text.split())[:500]
