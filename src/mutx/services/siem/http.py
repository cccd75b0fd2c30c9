"""Events to an HTTP collector: newline-delimited batches, each POST answered before the outbox goes on."""

import ssl
from collections.abc import Sequence

import httpx2

from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.errors import Unavailable
from mutx.services.siem.formats import Formatter
from mutx.services.siem.syslog import TOPICS, told

SECONDS = 10.0
TOO_LARGE = 413


class HttpSiemSink:
    """`governance.ports.Sink`. Raises Unavailable where a batch was not taken: the outbox sends it again."""

    name = "siem-http"
    topics: frozenset[str] | None = TOPICS

    def __init__(
        self,
        url: str,
        write: Formatter,
        *,
        authorization: str = "",
        tls: ssl.SSLContext | None = None,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        """`authorization`: the whole header, such as `Bearer ...` or `Splunk ...`."""
        self._url = url
        self._write = write
        self._headers = {"content-type": "application/x-ndjson"}
        if authorization:
            self._headers["authorization"] = authorization
        verify: ssl.SSLContext | bool = tls or True
        self._client = client or httpx2.AsyncClient(
            timeout=SECONDS, follow_redirects=False, trust_env=False, verify=verify
        )

    async def send(self, events: Sequence[Event]) -> None:
        lines = [self._write(event, where) for event, where in told(events)]
        if lines:
            await self._post(lines)

    async def _post(self, lines: list[str]) -> None:
        body = "".join(f"{line}\n" for line in lines).encode()
        headers = self._headers | {"x-mutx-batch": digest(lines)}
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise Unavailable("the SIEM did not answer; the events are sent again later") from error
        if answer.status_code == TOO_LARGE and len(lines) > 1:
            middle = len(lines) // 2
            await self._post(lines[:middle])
            await self._post(lines[middle:])
        elif not answer.is_success:
            raise Unavailable(f"the SIEM answered {answer.status_code}; the events are sent again later")
