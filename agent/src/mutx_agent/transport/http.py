"""HTTP/1.1 with kept-alive connections, TLS verified, redirects never followed."""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mutx_agent.errors import DoorRefused, DoorUnreachable
from mutx_agent.transport.base import ANSWER_LIMIT, WAIT_SLACK, Json, Transport, refusal
from mutx_agent.transport.pool import Pool

POSTED = {verb: f"/v1/governance/{verb}" for verb in ("decide", "redeem", "conclude")} | {"delegate": "/v1/delegations"}


KEYLESS = "no key was sent: set MUTX_API_KEY and MUTX_AGENT_ID to what `mutx agents register` shows for this agent"


class HttpTransport(Transport):
    """Speaks to one control plane. Connections are kept per process: a fork starts its own."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http or https address")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if api_key:
            self.authenticate(api_key)
        self._pool: Pool[http.client.HTTPConnection] = Pool()

    def authenticate(self, api_key: str) -> None:
        """Send this key from now on."""
        self._headers = {**self._headers, "authorization": f"Bearer {api_key}"}

    def call(self, verb: str, body: Json) -> Json:
        if verb in POSTED:
            # A permit is spent once: never risk its only request on a connection that may have died while idle.
            return self._answer("POST", POSTED[verb], body, fresh=verb == "redeem")
        path = f"/v1/governance/actions/{quote(body['action_id'], safe='')}"
        if verb == "status":
            return self._answer("GET", path)
        return self._wait(path, body["timeout"])

    def request(self, method: str, path: str, body: Json | None = None) -> Any:
        """Any other JSON request, for instance to `/v1/agents/register`."""
        with self._exchange(method, path, body) as response:
            return _decoded(response)

    def close(self) -> None:
        self._pool.close()

    def _answer(self, method: str, path: str, body: Json | None = None, *, fresh: bool = False) -> Json:
        with self._exchange(method, path, body, fresh=fresh) as response:
            answer = _decoded(response)
        if not isinstance(answer, dict):
            raise DoorUnreachable(f"{self._host} answered with something that is no decision")
        return answer

    def _wait(self, path: str, seconds: float) -> Json:
        query = urlencode({"timeout": f"{seconds:.3f}"})
        latest: Json | None = None
        with self._exchange("GET", f"{path}/wait?{query}", timeout=seconds + WAIT_SLACK, fresh=True) as response:
            for data in _events(response):
                latest = data
        if latest is None:
            raise DoorUnreachable("the wait ended without an answer")
        return latest

    @contextmanager
    def _exchange(
        self, method: str, path: str, body: Json | None = None, *, timeout: float | None = None, fresh: bool = False
    ) -> Iterator[http.client.HTTPResponse]:
        """One request and its response; the connection goes back to the pool if the response was read whole."""
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        connection = self._connection(timeout or self._timeout, fresh=fresh)
        sent = keep = False
        try:
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(method, self._base + path, data, self._headers)
            response = connection.getresponse()
            if response.status >= 300:
                raise self._refused(response)
            yield response
            keep = response.isclosed() and not response.will_close
        except (OSError, http.client.HTTPException) as error:
            raise DoorUnreachable(f"{self._host}: {type(error).__name__}: {error}", sent=sent) from error
        finally:
            if keep:
                self._pool.give(connection)
            else:
                connection.close()

    def _refused(self, response: http.client.HTTPResponse) -> DoorRefused | DoorUnreachable:
        problem = _problem(response)
        if response.status == 401 and "authorization" not in self._headers and isinstance(problem, DoorRefused):
            return DoorRefused(problem.code, KEYLESS, problem.details)
        return problem

    def _connection(self, timeout: float, *, fresh: bool) -> http.client.HTTPConnection:
        kept = None if fresh else self._pool.take()
        if kept is not None:
            if kept.sock is not None:
                kept.sock.settimeout(timeout)
            return kept
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)


def _decoded(response: http.client.HTTPResponse) -> Any:
    data = response.read(ANSWER_LIMIT)
    return _parsed(data) if data else None


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise DoorUnreachable(f"the answer is not JSON: {error}") from error


def _problem(response: http.client.HTTPResponse) -> DoorRefused | DoorUnreachable:
    """The control plane's own error, or, where some proxy answered instead of it, that nothing was decided."""
    if response.status < 400:
        return DoorUnreachable(f"the address redirects (HTTP {response.status}): configure the one it points to")
    try:
        problem = json.loads(response.read(ANSWER_LIMIT))
    except ValueError:
        problem = None
    if isinstance(problem, dict) and "code" in problem:
        return refusal(problem)
    return DoorUnreachable(f"HTTP {response.status} without an error of the control plane")


def _events(response: http.client.HTTPResponse) -> Iterator[Json]:
    """The data of each server-sent event, decoded."""
    lines: list[bytes] = []
    while line := response.readline(ANSWER_LIMIT):
        line = line.rstrip(b"\r\n")
        if line.startswith(b"data:"):
            lines.append(line[5:].removeprefix(b" "))
        elif not line and lines:
            yield _parsed(b"\n".join(lines))
            lines = []
