"""Notices to approvers: a question was put, or nobody answered it in time. By mail, or to a webhook."""

from collections.abc import Awaitable, Callable, Sequence

import httpx2
import msgspec
from standardwebhooks import Webhook

from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Unavailable
from mutx.services.mail import Mailer, one_line
from mutx.services.telemetry.outward import resolve

TOPIC = "aarm.approval"
SECONDS = 10.0

Approvers = Callable[[Event], Awaitable[Sequence[str]]]
"""The mail addresses of those who may answer an approval event."""


def asks(event: Event) -> bool:
    """Whether somebody is to be told: a request was opened or has escalated."""
    return event.topic == TOPIC and event.payload["event"] in ("requested", "escalated")


class MailSink:
    """One mail per question."""

    name = "mail"
    topics: frozenset[str] | None = frozenset({TOPIC})

    def __init__(self, mailer: Mailer, approvers: Approvers, *, link: str = "") -> None:
        """`link`: where requests are answered in a browser, if anywhere; the request id is appended."""
        self._mailer = mailer
        self._approvers = approvers
        self._link = link

    async def send(self, events: Sequence[Event]) -> None:
        for event in filter(asks, events):
            recipients = await self._approvers(event)
            if recipients:
                await self._mailer.send(recipients, *self._text(event), message_id=message_id(event))

    def _text(self, event: Event) -> tuple[str, str]:
        """Subject and text."""
        payload = event.payload
        late = "Still waiting: " if payload["event"] == "escalated" else ""
        lines = [
            f"Agent {payload['agent_id']} wants to call {payload['tool_name']}.",
            f"Why it asks: {payload['reason']}",
            f"Answer before {payload['expires_at']}:",
            f"    mutx approve {payload['request_id']}",
            f"    mutx deny {payload['request_id']}",
        ]
        if self._link:
            lines.append(f"or at {self._link}{payload['request_id']}")
        return f"{late}{payload['tool_name']} needs an approval", "\n".join(map(one_line, lines)) + "\n"


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
        name = message_id(event)
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


def message_id(event: Event) -> str:
    """The same for every delivery of one notice, so that receivers can drop repetitions."""
    payload = event.payload
    return "msg_" + digest([payload["request_id"], payload["event"], payload["status"]])[:32]
