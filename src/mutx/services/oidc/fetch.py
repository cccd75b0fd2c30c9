"""HTTP to the provider: bounded in time and size, and to nowhere else than asked.

The addresses come from the operator's own settings and the provider's own metadata, so private ones are fine here; a
redirect is not followed, because it could lead a secret elsewhere.
"""

import asyncio
from typing import Any

import httpx2

from mutx.kit.errors import PermissionDenied, Unavailable

SECONDS = 5.0
MAX_BYTES = 1_000_000

Json = dict[str, Any]


class Bounded(httpx2.AsyncBaseTransport):
    """A transport whose answers are whole, in time and of a bounded size, or not there."""

    def __init__(self) -> None:
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises Unavailable."""
        request.headers["accept-encoding"] = "identity"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._inner.handle_async_request(request)
                body = await _read(answer)
        except (TimeoutError, httpx2.TransportError) as error:
            raise Unavailable("the identity provider does not answer; try again, or check OIDC_ISSUER") from error
        return httpx2.Response(answer.status_code, headers=_plain(answer.headers), content=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Fetcher:
    """GETs JSON objects from one provider."""

    def __init__(self) -> None:
        self._client = httpx2.AsyncClient(transport=Bounded(), follow_redirects=False)

    async def get(self, url: str, *, token: str | None = None) -> Json:
        """Raises PermissionDenied where `token` is not good for this, Unavailable unless a JSON object comes in time."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        try:
            answer = await self._client.get(url, headers={"accept": "application/json", **headers})
            found = answer.json() if answer.status_code == 200 else None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError, RecursionError) as error:
            raise Unavailable("the identity provider's answer is no JSON; check OIDC_ISSUER") from error
        if token is not None and answer.status_code in (401, 403):
            raise PermissionDenied("the identity provider does not tell more to the holder of this token")
        if not isinstance(found, dict):
            raise Unavailable(f"the identity provider answered {answer.status_code}; check OIDC_ISSUER, see its log")
        return found

    async def close(self) -> None:
        await self._client.aclose()


async def _read(answer: httpx2.Response) -> bytes:
    body = bytearray()
    try:
        async for part in answer.aiter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise Unavailable("the identity provider's answer is too large")
    finally:
        await answer.aclose()
    return bytes(body)


def _plain(headers: httpx2.Headers) -> list[tuple[str, str]]:
    """Without what the whole body makes untrue."""
    return [(name, value) for name, value in headers.items() if name not in ("transfer-encoding", "content-length")]
