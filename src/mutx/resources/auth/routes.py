"""The sign-in API."""

from fastapi import APIRouter, Request

from mutx.contract import auth as contract
from mutx.contract.auth import (
    KeySet,
    LocalBootstrap,
    Login,
    Logout,
    Refresh,
    Registered,
    Registration,
    Tokens,
    User,
)
from mutx.contract.base import Message
from mutx.contract.workspaces import Role
from mutx.kit.errors import InputError, PermissionDenied
from mutx.resources.auth.accounts import account
from mutx.resources.auth.service import Logins, SignedIn
from mutx.web.credentials import credential_of, from_loopback
from mutx.web.deps import AppServices, CurrentCaller, ReadSession
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _logins(app: Services) -> Logins:
    return Logins(app.database, app.auth, app.clock)


def _tokens(signed_in: SignedIn) -> Tokens:
    return Tokens.model_validate(signed_in)


@serve(router, contract.register)
async def register(app: AppServices, body: Registration) -> Registered:
    return Registered.model_validate(await _logins(app).register(body))


@serve(router, contract.login)
async def login(app: AppServices, body: Login) -> Tokens:
    return _tokens(await _logins(app).login(body))


@serve(router, contract.local_bootstrap)
async def local_bootstrap(request: Request, app: AppServices, body: LocalBootstrap) -> Tokens:
    if not (app.auth.rules.local_bootstrap and from_loopback(request.scope)):
        raise PermissionDenied("local sign-in works only on the server's own machine; register or log in instead")
    return _tokens(await _logins(app).bootstrap(body.name))


@serve(router, contract.refresh)
async def refresh(app: AppServices, body: Refresh) -> Tokens:
    return _tokens(await _logins(app).refresh(body))


@serve(router, contract.logout)
async def logout(request: Request, caller: CurrentCaller, app: AppServices, body: Logout | None = None) -> Message:
    refresh_token = body.refresh_token if body is not None else None
    family_id = None
    if refresh_token is None:
        if caller.method != "jwt":
            raise InputError("an API key is no login; send the refresh_token of the login to end, or delete the key")
        family_id = app.auth.tokens.verify(credential_of(request.scope) or "").family_id
    await _logins(app).logout(caller, family_id=family_id, refresh_token=refresh_token)
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


@serve(router, contract.jwks)
async def jwks(app: AppServices) -> KeySet:
    return KeySet.model_validate(app.auth.tokens.jwks())
