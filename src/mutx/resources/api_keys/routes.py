"""The API keys API."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import api_keys as contract
from mutx.contract.api_keys import ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyRotate
from mutx.contract.base import Limit, Page, Skip
from mutx.resources.api_keys.service import ApiKeys
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_api_keys)
async def list_api_keys(
    caller: CurrentCaller, session: ReadSession, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[ApiKey]:
    items, total = await ApiKeys(session, caller, app.auth.secrets, app.clock).list(skip, limit)
    return Page[ApiKey].of(items, total, skip, limit)


@serve(router, contract.create_api_key)
async def create_api_key(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: ApiKeyCreate
) -> ApiKeyCreated:
    return await ApiKeys(session, caller, app.auth.secrets, app.clock).create(body)


@serve(router, contract.get_api_key)
async def get_api_key(caller: CurrentCaller, session: ReadSession, app: AppServices, key_id: UUID) -> ApiKey:
    return await ApiKeys(session, caller, app.auth.secrets, app.clock).get(key_id)


@serve(router, contract.delete_api_key)
async def delete_api_key(caller: CurrentCaller, session: WriteSession, app: AppServices, key_id: UUID) -> None:
    await ApiKeys(session, caller, app.auth.secrets, app.clock).delete(key_id)
    await app.revocations.revoke(session)


@serve(router, contract.rotate_api_key)
async def rotate_api_key(
    caller: CurrentCaller, session: WriteSession, app: AppServices, key_id: UUID, body: ApiKeyRotate | None = None
) -> ApiKeyCreated:
    wanted = body or ApiKeyRotate()
    rotated = await ApiKeys(session, caller, app.auth.secrets, app.clock).rotate(key_id, wanted.overlap_seconds)
    await app.revocations.revoke(session)
    return rotated
