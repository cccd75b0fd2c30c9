"""Routes of `contract.sso`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mutx.contract import sso as contract
from mutx.contract.sso import (
    Code,
    OAuthExchange,
    OAuthStart,
    PageUrl,
    Short,
    SsoProvider,
    SsoProviders,
    SsoStart,
    SsoTokens,
    State,
)
from mutx.kit.errors import Unauthenticated
from mutx.resources.auth.answers import answered
from mutx.resources.sso.service import ATTEMPT_SECONDS, SsoSignIns, page_to_return_to
from mutx.services.oidc.flow import Attempt
from mutx.web.cookies import Cookie
from mutx.web.deps import AppServices
from mutx.web.serve import serve
from mutx.web.services import Services

COOKIE = "mutx_sso"
COOKIE_PATH = "/v1/auth/sso"
OAUTH_PATH = "/v1/auth/oauth"

router = APIRouter()


async def _answer(response: Response) -> Response:
    return response


Answer = Annotated[Response, Depends(_answer)]


def _bind(app: Services, answer: Response, attempt: Attempt, path: str) -> None:
    """To this browser: nobody else finishes the attempt."""
    answer.set_cookie(
        COOKIE,
        attempt.binding,
        max_age=ATTEMPT_SECONDS,
        path=path,
        secure=app.sign_on is not None and app.sign_on.config.redirect_uri.startswith("https://"),
        httponly=True,
        samesite="lax",  # the provider sends the browser back by a link from its own site
    )


@serve(router, contract.list_sso_providers)
async def list_sso_providers(app: AppServices) -> SsoProviders:
    if app.sign_on is None:
        return SsoProviders(providers=[])
    config = app.sign_on.config
    return SsoProviders(providers=[SsoProvider(provider=config.provider, issuer=config.issuer)])


@serve(router, contract.start_sso)
async def start_sso(app: AppServices, answer: Answer, provider: str, return_to: PageUrl | None = None) -> SsoStart:
    attempt, url = await SsoSignIns(app, provider).begin(return_to=return_to)
    _bind(app, answer, attempt, COOKIE_PATH)
    return SsoStart(authorization_url=url, expires_in=ATTEMPT_SECONDS)


@serve(router, contract.finish_sso)
async def finish_sso(
    request: Request,
    app: AppServices,
    answer: Answer,
    cookie: Cookie,
    provider: str,
    state: Short = "",
    code: Code = "",
    error: Short = "",
    error_description: Code = "",
) -> SsoTokens:
    sign_ins = SsoSignIns(app, provider)
    if error or not code:
        raise Unauthenticated("the identity provider did not sign you in; start again, or ask its administrator")
    attempt = Attempt(state, request.cookies.get(COOKIE, ""))
    signed_in = await sign_ins.finish(attempt, code)
    answer.delete_cookie(COOKIE, path=COOKIE_PATH)
    page = page_to_return_to(attempt)
    tokens = answered(app, SsoTokens, signed_in, cookie, into_cookie=page is not None)
    if page is None:
        return tokens
    answer.status_code, answer.headers["location"] = 303, page
    return tokens.model_copy(update={"access_token": "", "expires_in": 0})  # the page gets one with its cookie


@serve(router, contract.authorize_oauth)
async def authorize_oauth(
    app: AppServices, answer: Answer, provider: str, redirect_uri: PageUrl, state: State = ""
) -> OAuthStart:
    attempt, url = await SsoSignIns(app, provider).begin(redirect_uri=redirect_uri, state=state)
    _bind(app, answer, attempt, OAUTH_PATH)
    return OAuthStart(authorization_url=url, expires_in=ATTEMPT_SECONDS, state=attempt.state)


@serve(router, contract.exchange_oauth)
async def exchange_oauth(
    request: Request, app: AppServices, answer: Answer, cookie: Cookie, provider: str, body: OAuthExchange
) -> SsoTokens:
    sign_ins = SsoSignIns(app, provider)
    if body.cookie:
        cookie.require_own_page(app.auth.rules.origins)
    attempt = Attempt(body.state, request.cookies.get(COOKIE, ""), body.redirect_uri)
    signed_in = await sign_ins.finish(attempt, body.code)
    answer.delete_cookie(COOKIE, path=OAUTH_PATH)
    return answered(app, SsoTokens, signed_in, cookie, into_cookie=body.cookie)
