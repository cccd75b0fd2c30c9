"""What it means to hold a key: shown once, kept as a hash, narrowed to its owner."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.api_keys import MAX_LANE_DAYS, ApiKey, ApiKeyCreate, ApiKeyCreated, KeyKind
from mutx.contract.workspaces import Role
from mutx.governance.turn import Event
from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import NotFound, PermissionDenied
from mutx.resources.api_keys.models import ApiKeyRow
from mutx.services.identity.secrets import SecretHasher, SecretKind, hint_of, mint
from mutx.services.identity.uses import KeyUse
from mutx.storage.outbox import tell
from mutx.storage.pages import PagedQuery
from mutx.web.access import AGENT_SCOPES, covers, scopes_of
from mutx.web.news import tell_audit

HOUR = 3600
ADMIN = "api_keys:admin"

SHOWN = (
    "id",
    "name",
    "kind",
    "hint",
    "scopes",
    "agent_id",
    "role",
    "lane",
    "created_at",
    "expires_at",
    "last_used",
)
"""The columns that stand in an answer as they are."""
LISTED = (*SHOWN, "is_active")
_KEYS = ApiKeyRow.__table__.c
_LASTS = or_(_KEYS.expires_at.is_(None), _KEYS.expires_at > bindparam("now", type_=_KEYS.expires_at.type))
_IN_WORKSPACE = (
    select(*(_KEYS[name] for name in SHOWN), _LASTS)
    .where(_KEYS.workspace_id == bindparam("workspace_id"), _KEYS.revoked_at.is_(None))
    .order_by(_KEYS.created_at.desc(), _KEYS.id.desc())
)
ALL_KEYS = PagedQuery(_IN_WORKSPACE)
"""Given `workspace_id` and `now`."""
OWN_KEYS = PagedQuery(_IN_WORKSPACE.where(_KEYS.user_id == bindparam("user_id")))
"""Given `workspace_id`, `now` and `user_id`."""


class ApiKeys:
    """The keys of the caller's workspace that the caller may see: their own, or all with `api_keys:admin`."""

    def __init__(self, session: AsyncSession, caller: Caller, secrets: SecretHasher, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._secrets = secrets
        self._now = to_datetime(clock.now())

    async def list(self, skip: int, limit: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Newest first: the fields of `ApiKey`, and how many there are."""
        mine = {"workspace_id": self._caller.workspace_id, "now": self._now}
        if covers(self._caller.scopes, ADMIN):
            rows, total = await ALL_KEYS.page(self._session, skip, limit, **mine)
        else:
            rows, total = await OWN_KEYS.page(self._session, skip, limit, **mine, user_id=self._caller.user_id)
        return list(map(dict, map(zip, repeat(LISTED), rows))), total  # behind a row's fields stands the total

    async def get(self, key_id: UUID) -> ApiKey:
        return self._shape(await self._row(key_id))

    async def create(self, wanted: ApiKeyCreate) -> ApiKeyCreated:
        """Raises PermissionDenied where the key would hold more than the caller does."""
        self._refuse_agents()
        self._refuse_excess(wanted.scopes)
        if wanted.role is not None and not self._holds(wanted.role):
            raise PermissionDenied(f"your own role does not include {wanted.role.value}; ask for less")
        days = wanted.expires_in_days or (MAX_LANE_DAYS if wanted.lane else None)
        expires_at = None if days is None else self._now + timedelta(days=days)
        return await self._add(
            ApiKeyRow(
                kind=KeyKind.PERSON,
                name=wanted.name,
                scopes=wanted.scopes,
                expires_at=expires_at,
                role=wanted.role,
                lane=wanted.lane,
            )
        )

    def _refuse_agents(self) -> None:
        if self._caller.kind is PrincipalKind.AGENT:
            raise PermissionDenied("an agent's key makes and renews no keys; a person does")

    def _holds(self, role: Role) -> bool:
        return all(covers(self._caller.scopes, scope) for scope in scopes_of((role,)))

    async def create_for_agent(self, agent_id: str, name: str) -> ApiKeyCreated:
        """An agent's own key. It acts for the caller and may do what `AGENT_SCOPES` lists, for that agent only."""
        self._refuse_agents()
        return await self._add(ApiKeyRow(kind=KeyKind.AGENT, name=name, scopes=list(AGENT_SCOPES), agent_id=agent_id))

    async def rotate(self, key_id: UUID, overlap_seconds: int) -> ApiKeyCreated:
        """A new secret for the same key. The old one stops at once, or after the overlap.

        Raises PermissionDenied for a key of somebody else, whom the caller would then act for, and for one that may do
        more than the caller may: an administrator deletes such a key, and its owner makes a new one.
        """
        self._refuse_agents()
        row = await self._row(key_id)
        if row.user_id != self._caller.user_id:
            raise PermissionDenied("only its owner gets a key's new secret; delete the key instead")
        if row.kind == KeyKind.PERSON:
            self._refuse_excess(row.scopes)
        else:
            self._refuse_excess(["agents:write"])
        secret = _mint_for(row)
        overlaps = overlap_seconds > 0
        row.previous_digest = row.digest if overlaps else None
        row.previous_until = self._now + timedelta(seconds=overlap_seconds) if overlaps else None
        row.digest, row.hint = self._secrets.digest(secret), hint_of(secret)
        await self._tell("API_KEY_ROTATED", row)
        return self._created(row, secret)

    async def delete(self, key_id: UUID) -> None:
        row = await self._row(key_id)
        row.revoked_at = self._now
        row.previous_digest = None
        await self._tell("API_KEY_DELETED", row)

    def _refuse_excess(self, scopes: Sequence[str]) -> None:
        if excess := [scope for scope in scopes if not covers(self._caller.scopes, scope)]:
            raise PermissionDenied(f"you do not hold {', '.join(excess)} yourself; ask for less")

    async def _add(self, row: ApiKeyRow) -> ApiKeyCreated:
        secret = _mint_for(row)
        row.workspace_id, row.user_id = self._caller.workspace_id, self._caller.user_id
        row.digest, row.hint, row.created_at = self._secrets.digest(secret), hint_of(secret), self._now
        self._session.add(row)
        await self._tell("API_KEY_CREATED", row)
        return self._created(row, secret)

    async def _tell(self, what: str, row: ApiKeyRow) -> None:
        await self._session.flush()
        about = {"key_id": row.id, "name": row.name, "kind": row.kind}
        await tell_audit(self._session, self._caller, self._now.timestamp(), what, **about)

    async def _row(self, key_id: UUID) -> ApiKeyRow:
        row = await self._session.scalar(self._visible().where(ApiKeyRow.id == str(key_id)))
        if row is None:
            raise NotFound(f"no API key {key_id}")
        return row

    def _visible(self) -> Select[ApiKeyRow]:
        query = select(ApiKeyRow).where(
            ApiKeyRow.workspace_id == self._caller.workspace_id, ApiKeyRow.revoked_at.is_(None)
        )
        if covers(self._caller.scopes, ADMIN):
            return query
        return query.where(ApiKeyRow.user_id == self._caller.user_id)

    def _shape(self, row: ApiKeyRow) -> ApiKey:
        return ApiKey.model_validate(self._fields(row))

    def _created(self, row: ApiKeyRow, secret: str) -> ApiKeyCreated:
        return ApiKeyCreated.model_validate({**self._fields(row), "key": secret})

    def _fields(self, row: ApiKeyRow) -> dict[str, Any]:
        fields = {name: getattr(row, name) for name in SHOWN}
        return {**fields, "is_active": row.revoked_at is None and self._active(row.expires_at)}

    def _active(self, expires_at: datetime | None) -> bool:
        return expires_at is None or expires_at > self._now


def _mint_for(row: ApiKeyRow) -> str:
    return mint(SecretKind.AGENT_KEY if row.kind == KeyKind.AGENT else SecretKind.API_KEY)


async def write_uses(session: AsyncSession, uses: Mapping[str, KeyUse]) -> Sequence[str]:
    """Key id -> use. Called in batches, never per request; the audit log hears of each key's first use in an hour.

    Returns the ids of the keys that it heard of.
    """
    told: list[str] = []
    for row in await session.scalars(select(ApiKeyRow).where(ApiKeyRow.id.in_(uses))):
        use = uses[row.id]
        if row.last_used is None or row.last_used.timestamp() // HOUR != use.last // HOUR:
            await tell(session, [_used(row, use)])
            told.append(row.id)
        row.last_used = to_datetime(use.last)
    return told


def _used(row: ApiKeyRow, use: KeyUse) -> Event:
    payload = {
        "event_type": "API_KEY_USED",
        "actor_type": (PrincipalKind.AGENT if row.kind == KeyKind.AGENT else PrincipalKind.API_KEY).value,
        "actor_id": row.id,
        "user_id": row.user_id,
        "agent_id": row.agent_id,
        "key_id": row.id,
        "verifications": use.count,
    }
    return Event(topic="audit.api", workspace_id=row.workspace_id, at=use.last, payload=payload)
