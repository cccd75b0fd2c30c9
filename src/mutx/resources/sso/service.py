"""Signing in through a provider: out with a state, back with a code."""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import to_datetime
from mutx.kit.errors import NotFound, Unauthenticated
from mutx.kit.ids import new_token
from mutx.resources.auth.families import SignedIn
from mutx.resources.auth.requests import require_own_page
from mutx.resources.auth.service import Logins
from mutx.resources.sso.models import SsoAttemptRow
from mutx.resources.sso.source import admit
from mutx.services.oidc.flow import Attempt
from mutx.web.services import Services

ATTEMPT_SECONDS = 600
MAX_STATE = 128
MAX_BINDING = 1200


class SsoSignIns:
    """Takes the database itself: the provider is asked between a write and a write, never inside one."""

    def __init__(self, app: Services, provider: str) -> None:
        """Raises NotFound unless `provider` is what this installation calls its own."""
        if app.sign_on is None or app.sign_on.config.provider != provider:
            raise NotFound("there is no such sign-in here; `GET /v1/auth/sso` lists what there is")
        self._app = app
        self._sign_on = app.sign_on

    async def begin(
        self, *, return_to: str | None = None, redirect_uri: str = "", state: str = ""
    ) -> tuple[Attempt, str]:
        """The attempt, and where the browser goes. Raises InputError for a page that is not ours, Unavailable.

        `return_to`: where our callback sends the browser on to; `redirect_uri`: the page that takes the callback's place.
        """
        for page in filter(None, (return_to, redirect_uri)):
            require_own_page(self._app.auth.rules, page)
        attempt = Attempt(state or new_token(32), new_token(32) + _packed(return_to), redirect_uri)
        url = await self._sign_on.flow.authorization_url(attempt)
        now = to_datetime(self._app.clock.now())
        async with self._app.database.write() as session:
            await session.execute(delete(SsoAttemptRow).where(SsoAttemptRow.expires_at <= now))
            session.add(
                SsoAttemptRow(
                    state_digest=self._digest(_whole(attempt)),
                    binding_digest=self._digest(attempt.binding),
                    expires_at=now + timedelta(seconds=ATTEMPT_SECONDS),
                )
            )
        return attempt, url

    async def finish(self, attempt: Attempt, code: str) -> SignedIn:
        """Raises Unauthenticated unless this browser began this attempt a moment ago and the provider vouches for it."""
        bounded = 0 < len(attempt.binding) <= MAX_BINDING and len(attempt.state) <= MAX_STATE
        if not bounded or not await self._taken(attempt):
            raise Unauthenticated("this sign-in was not begun in this browser, or took too long; start again")
        claims = await self._sign_on.flow.claims(attempt, code)
        admitted = await admit(self._app.revocations, self._sign_on, self._app.clock, claims)
        return await Logins(self._app).vouched(admitted.user.id, admitted.member.workspace_id)

    async def _taken(self, attempt: Attempt) -> bool:
        """Whether the attempt stands; it does so once."""
        async with self._app.database.write() as session:
            return await self._take(session, attempt)

    async def _take(self, session: AsyncSession, attempt: Attempt) -> bool:
        ended = await session.execute(
            delete(SsoAttemptRow).where(
                SsoAttemptRow.state_digest == self._digest(_whole(attempt)),
                SsoAttemptRow.binding_digest == self._digest(attempt.binding),
                SsoAttemptRow.expires_at > to_datetime(self._app.clock.now()),
            )
        )
        return bool(getattr(ended, "rowcount", 0) == 1)

    def _digest(self, secret: str) -> str:
        return self._app.auth.secrets.digest(secret)


def page_to_return_to(attempt: Attempt) -> str | None:
    """Where the browser wanted to be afterwards. Believe it of an attempt that was finished, and of no other."""
    packed = attempt.binding.partition(".")[2]
    return bytes.fromhex(packed).decode() if packed else None


def _packed(page: str | None) -> str:
    """The page rides in the binding, which our digest of it keeps as it was."""
    return "" if page is None else "." + page.encode().hex()


def _whole(attempt: Attempt) -> str:
    """All that makes an attempt this one. A page may choose its state: alone, that would not tell two browsers apart."""
    return f"{attempt.redirect_uri}\n{attempt.binding}\n{attempt.state}"
