"""How often one caller, or one address, may ask: the HTTP edge's own protection, counted in this process.

What a policy limits is charged in the database, with the turn; this here only keeps a process answering.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.kit.clock import Clock
from mutx.kit.errors import RateLimited
from mutx.web.problems import respond

AUTH_PREFIX = "/v1/auth/"
MAX_KEYS = 100_000


class Limit(Struct, frozen=True):
    """`requests` in any `seconds`, all of them at once if need be."""

    requests: int
    seconds: float


class Throttle:
    """GCRA (ITU-T I.371): one number per key, the time at which its allowance would be whole again."""

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self._spacing = limit.seconds / limit.requests
        self._tolerance = limit.seconds - self._spacing
        self._clock = clock
        self._whole_at: dict[str, float] = {}

    def take(self, key: str) -> float:
        """0 if the request may pass, else the seconds to wait."""
        now = self._clock.now()
        whole_at = max(self._whole_at.get(key, now), now)
        if (wait := whole_at - now - self._tolerance) > 0:
            return wait
        if len(self._whole_at) >= MAX_KEYS:
            self._forget(now)
        self._whole_at[key] = whole_at + self._spacing
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop keys whose allowance is whole; if an attacker holds all of them, start over."""
        kept = {key: at for key, at in self._whole_at.items() if at > now}
        self._whole_at = kept if len(kept) < MAX_KEYS else {}


class RateLimit:
    """By principal where there is one, else by address; sign-in and its like by address, and more tightly.

    `hot` paths have a limit of their own; `exempt` ones (probes) have none.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        throttles: Mapping[str, Throttle],
        hot: Collection[str] = (),
        exempt: Collection[str] = (),
    ) -> None:
        """`throttles`: `general`, `auth` and `hot`."""
        self._app = app
        self._general, self._auth, self._hot = throttles["general"], throttles["auth"], throttles["hot"]
        self._hot_paths = frozenset(hot)
        self._exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (wait := self._wait(scope)) > 0:
            seconds = int(wait) + 1
            error = RateLimited(
                f"too many requests; try again in {seconds} s", details={"retry_after_seconds": seconds}
            )
            await respond(scope, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        path: str = scope["path"]
        if path in self._exempt:
            return 0.0
        address = scope["client"][0] if scope.get("client") else "local"
        if path.startswith(AUTH_PREFIX) and scope["method"] == "POST":
            return self._auth.take(address)
        caller = scope.get("mutx.caller")
        who = caller.principal_id if caller is not None else address
        return (self._hot if path in self._hot_paths else self._general).take(who)
