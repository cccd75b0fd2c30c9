"""How often one caller, or one address, may ask: the HTTP edge's own protection.

Two layers of middleware. `Doorkeeper` stands before authentication: whoever presents nothing, or something that was not
verified a moment ago, is charged by address and by a hash of the credential, so guessing costs no look-up in the store.
`RateLimit` stands after it: what authenticated is charged to its principal, and the address gets its charge back.

What a policy limits is charged in the database, with the turn; this here only keeps the API answering.
"""

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from math import ceil

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import RateLimited, Unauthenticated
from mutx.server.identities import KnownIdentities
from mutx.server.middleware.client_address import ClientAddress
from mutx.server.middleware.headers import RawHeaders
from mutx.storage.throttle import Limit, RateLimiter
from mutx.web.credentials import credential_of
from mutx.web.problems import respond

AUTH_PREFIX = "/v1/auth/"
COUNTED = "mutx.counted"
"""In a request's scope: name and key of the limit that counted it last."""
PAID = "mutx.paid_by"
"""In a request's scope: the address that paid for it before it was authenticated."""


class EdgeLimits(Struct, frozen=True, kw_only=True):
    """The limiters and what they count by."""

    limiters: Mapping[str, RateLimiter]
    """`general`, `auth` and `hot`."""
    hot_paths: Collection[str]
    exempt: Collection[str]
    """Probes, which orchestrators ask at their own rate."""
    address: ClientAddress
    refused: Counter


def refusals(registry: CollectorRegistry) -> Counter:
    """Requests that the edge refused, by limit."""
    return Counter(
        "mutx_edge_rate_limited_total", "Requests refused by the edge's limits", ["limit"], registry=registry
    )


class Doorkeeper:
    """The limits that hold before anybody is known; puts the headers on every answer."""

    def __init__(self, app: ASGIApp, *, limits: EdgeLimits, identities: KnownIdentities) -> None:
        self._app = app
        self._limits = limits
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._limits.exempt:
            await self._app(scope, receive, send)
            return
        sending = _with_allowance(self._limits, scope, send)
        if (wait := await self._wait(scope)) > 0:
            await _refuse(self._limits, wait, scope, receive, sending)
            return
        await self._app(scope, receive, sending)

    async def _wait(self, scope: Scope) -> float:
        address = self._limits.address(scope)
        if scope["path"].startswith(AUTH_PREFIX) and scope["method"] == "POST":
            scope[COUNTED] = ("auth", address)
            # guessing is what this limit is against, so all replicas count together
            return await self._limits.limiters["auth"].admit(address)
        scope[COUNTED] = ("general", address)
        try:
            credential = credential_of(scope)
        except Unauthenticated:
            credential = None
        if credential is not None and self._identities.cached(credential) is not None:
            return 0.0
        return self._stranger(scope, address, credential)

    def _stranger(self, scope: Scope, address: str, credential: str | None) -> float:
        """Charge the address, and the credential, of somebody who was not verified a moment ago."""
        limiters = self._limits.limiters
        if (wait := limiters["general"].take(address)) > 0:
            return wait
        scope[PAID] = address
        if credential is None:
            return 0.0
        name, key = _limit_of(self._limits, scope), hashlib.sha256(credential.encode()).hexdigest()
        scope[COUNTED] = (name, key)
        return limiters[name].take(key)


class RateLimit:
    """The limits of those who are known, by principal. Hot paths have one of their own."""

    def __init__(self, app: ASGIApp, *, limits: EdgeLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("mutx.caller")
        if caller is not None and scope["path"] not in self._limits.exempt:
            if (address := scope.pop(PAID, None)) is not None:
                self._limits.limiters["general"].give_back(address)
            name, key = scope[COUNTED] = _limit_of(self._limits, scope), caller.principal_id
            if (wait := self._limits.limiters[name].take(key)) > 0:
                await _refuse(self._limits, wait, scope, receive, send)
                return
        await self._app(scope, receive, send)


def headers_of(limiter: RateLimiter, key: str) -> RawHeaders:
    """What a key has left, as draft-ietf-httpapi-ratelimit-headers names it; `RateLimit-Reset`: seconds until it is whole."""
    left = limiter.allowance(key)
    of_limit, _ = _of_limit(limiter.limit)
    return (
        *of_limit,
        (b"ratelimit-remaining", b"%d" % left.remaining),
        (b"ratelimit-reset", b"%d" % left.reset),
    )


def written_headers_of(limiter: RateLimiter, key: str) -> bytes:
    """The same as they stand on the wire."""
    left = limiter.allowance(key)
    _, written = _of_limit(limiter.limit)
    return b"%bratelimit-remaining: %d\r\nratelimit-reset: %d\r\n" % (written, left.remaining, left.reset)


@lru_cache(maxsize=64)
def _of_limit(limit: Limit) -> tuple[RawHeaders, bytes]:
    """What is the same for every key; as headers, and as they stand on the wire."""
    headers = (
        (b"ratelimit-limit", b"%d" % limit.requests),
        (b"ratelimit-policy", b"%d;w=%d" % (limit.requests, limit.seconds)),
    )
    return headers, b"".join(b"%b: %b\r\n" % header for header in headers)


def _limit_of(limits: EdgeLimits, scope: Scope) -> str:
    return "hot" if scope["path"] in limits.hot_paths else "general"


def _with_allowance(limits: EdgeLimits, scope: Scope, send: Send) -> Send:
    """A `send` that adds what is left of the limit that counted last."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            name, key = scope[COUNTED]
            message["headers"] = [*message.get("headers", ()), *headers_of(limits.limiters[name], key)]
        await send(message)

    return sending


async def _refuse(limits: EdgeLimits, wait: float, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 429 with when to come back."""
    limits.refused.labels(scope[COUNTED][0]).inc()
    seconds = ceil(wait)
    error = RateLimited(f"too many requests; try again in {seconds} s", details={"retry_after_seconds": seconds})
    await respond(scope, error)(scope, receive, send)
