"""Routes of `contract.sso`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mutx.contract import sso as contract
from mutx.contract.sso import Code, Short, SsoProvider, SsoProviders, SsoStart, SsoTokens
from mutx.kit.errors import Unauthenticated
from mutx.resources.sso.service import ATTEMPT_SECONDS, SsoSignIns
from mutx.services.oidc.flow import Attempt
from mutx.web.deps import AppServices
from mutx.web.serve import serve

COOKIE = "mutx_sso"
COOKIE_PATH = "/v1/auth/sso"

router = APIRouter()


async def _answer(response: Response) -> Response:
    return response


Answer = Annotated[Response, Depends(_answer)]


@serve(router, contract.list_sso_providers)
async def list_sso_providers(app: AppServices) -> SsoProviders:
    if app.sign_on is None:
        return SsoProviders(providers=[])
    config = app.sign_on.config
    return SsoProviders(providers=[SsoProvider(provider=config.provider, issuer=config.issuer)])


@serve(router, contract.start_sso)
async def start_sso(app: AppServices, answer: Answer, provider: str) -> SsoStart:
    attempt, url = await SsoSignIns(app, provider).begin()
    answer.set_cookie(
        COOKIE,
        attempt.binding,
        max_age=ATTEMPT_SECONDS,
        path=COOKIE_PATH,
        secure=app.sign_on is not None and app.sign_on.config.redirect_uri.startswith("https://"),
        httponly=True,
        samesite="lax",  # the provider sends the browser back by a link from its own site
    )
    return SsoStart(authorization_url=url, expires_in=ATTEMPT_SECONDS)


@serve(router, contract.finish_sso)
async def finish_sso(
    request: Request,
    app: AppServices,
    answer: Answer,
    provider: str,
    state: Short = "",
    code: Code = "",
    error: Short = "",
    error_description: Code = "",
) -> SsoTokens:
    sign_ins = SsoSignIns(app, provider)
    if error or not code:
        raise Unauthenticated("the identity provider did not sign you in; start again, or ask its administrator")
    signed_in = await sign_ins.finish(Attempt(state, request.cookies.get(COOKIE, "")), code)
    answer.delete_cookie(COOKIE, path=COOKIE_PATH)
    return SsoTokens.model_validate(signed_in)
