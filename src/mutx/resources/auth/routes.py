"""The sign-in API."""

from fastapi import APIRouter, Request

from mutx.contract import auth as contract
from mutx.contract.auth import (
    ForgotPassword,
    KeySet,
    LocalBootstrap,
    Login,
    Logout,
    Refresh,
    Registered,
    Registration,
    ResendVerification,
    ResetPassword,
    Tokens,
    User,
    VerifyEmail,
)
from mutx.contract.base import Message
from mutx.contract.workspaces import Role
from mutx.kit.errors import InputError, PermissionDenied
from mutx.resources.auth.accounts import account
from mutx.resources.auth.answers import answered
from mutx.resources.auth.recovery import Recovery
from mutx.resources.auth.service import Logins
from mutx.web.cookies import Cookie
from mutx.web.credentials import credential_of, from_loopback
from mutx.web.deps import AppServices, CurrentCaller, ReadSession
from mutx.web.serve import serve

router = APIRouter()

ASKED = "if there is such an account, a mail is on its way"


@serve(router, contract.register)
async def register(app: AppServices, cookie: Cookie, body: Registration) -> Registered:
    if body.cookie:
        cookie.require_own_page(app.auth.rules.origins)
    tokens = answered(app, Tokens, await Logins(app).register(body), cookie, into_cookie=body.cookie)
    return Registered(
        **tokens.model_dump(),
        verification_email_sent=app.auth.rules.mail,
        requires_email_verification=app.auth.rules.verified_email,
    )


@serve(router, contract.login)
async def login(app: AppServices, cookie: Cookie, body: Login) -> Tokens:
    if body.cookie:
        cookie.require_own_page(app.auth.rules.origins)
    return answered(app, Tokens, await Logins(app).login(body), cookie, into_cookie=body.cookie)


@serve(router, contract.local_bootstrap)
async def local_bootstrap(request: Request, app: AppServices, body: LocalBootstrap) -> Tokens:
    if not (app.auth.rules.local_bootstrap and from_loopback(request.scope)):
        raise PermissionDenied("local sign-in works only on the server's own machine; register or log in instead")
    return Tokens.model_validate(await Logins(app).bootstrap(body.name))


@serve(router, contract.refresh)
async def refresh(app: AppServices, cookie: Cookie, body: Refresh) -> Tokens:
    given = body.refresh_token or cookie.read(app.auth.rules.origins)
    if given is None:
        raise InputError("send the refresh_token; there is none in a cookie either")
    signed_in = await Logins(app).refresh(given, body.workspace_id)
    return answered(app, Tokens, signed_in, cookie, into_cookie=body.refresh_token is None)


@serve(router, contract.logout)
async def logout(
    request: Request, caller: CurrentCaller, app: AppServices, cookie: Cookie, body: Logout | None = None
) -> Message:
    refresh_token = body.refresh_token if body is not None else None
    family_id = None
    if refresh_token is None:
        if caller.method != "jwt":
            raise InputError("an API key is no login; send the refresh_token of the login to end, or delete the key")
        family_id = app.auth.tokens.verify(credential_of(request.scope) or "").family_id
    await Logins(app).logout(caller, family_id=family_id, refresh_token=refresh_token)
    cookie.clear()
    return Message(message="signed out")


@serve(router, contract.me)
async def me(caller: CurrentCaller, session: ReadSession) -> User:
    user = await account(session, caller)
    return User(
        id=user.id,
        email=user.email,
        name=user.name,
        plan=user.plan,
        created_at=user.created_at,
        is_active=user.is_active,
        is_email_verified=user.is_email_verified,
        workspace_id=caller.workspace_id,
        roles=[Role(role) for role in caller.roles],
        scopes=list(caller.scopes),
    )


@serve(router, contract.forgot_password)
async def forgot_password(app: AppServices, body: ForgotPassword) -> Message:
    await Recovery(app).forgot_password(body)
    return Message(message=ASKED)


@serve(router, contract.reset_password)
async def reset_password(app: AppServices, body: ResetPassword) -> Message:
    await Recovery(app).reset_password(body)
    return Message(message="the password is set and every login has ended; sign in with the new one")


@serve(router, contract.verify_email)
async def verify_email(app: AppServices, body: VerifyEmail) -> Message:
    await Recovery(app).verify_email(body)
    return Message(message="the address is verified")


@serve(router, contract.resend_verification)
async def resend_verification(app: AppServices, body: ResendVerification) -> Message:
    await Recovery(app).resend_verification(body)
    return Message(message=ASKED)


@serve(router, contract.jwks)
async def jwks(app: AppServices) -> KeySet:
    return KeySet.model_validate(app.auth.tokens.jwks())
