"""The policy store: the engine's only source. What it shows is what is enforced."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.policies import PolicyWrite
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, InputError, NotFound
from mutx.kit.ids import new_id
from mutx.resources.policies.compiling import StoredPolicy, checked, content_of
from mutx.resources.policies.engines import PolicyEngines, enabled_policies, revision_of, stored
from mutx.resources.policies.models import PolicyRow, PolicySnapshotRow, PolicyVersionRow
from mutx.resources.policies.writing import PolicyChange, write
from mutx.storage.engine import Database

ATTEMPTS = 5
BUSY = "others are changing these policies; look at them again, then retry"


class PolicyStore:
    """One caller's workspace. A change is compiled before it is committed and in force before it is answered."""

    def __init__(self, database: Database, engines: PolicyEngines, clock: Clock, caller: Caller) -> None:
        self._database = database
        self._engines = engines
        self._clock = clock
        self._caller = caller
        self.workspace_id = caller.workspace_id

    # -- reading ------------------------------------------------------------------------------------------------

    async def page(self, skip: int, limit: int) -> Sequence[PolicyRow]:
        """By name."""
        query = select(PolicyRow).where(PolicyRow.workspace_id == self.workspace_id).order_by(PolicyRow.name)
        async with self._database.read() as session:
            return (await session.scalars(query.offset(skip).limit(limit))).all()

    async def enabled(self) -> Sequence[StoredPolicy]:
        """What is in force, by name."""
        async with self._database.read() as session:
            return await enabled_policies(session, self.workspace_id)

    async def engine(self) -> PolicyEngine:
        """The engine in force here."""
        return self._engines.current(self.workspace_id) or await self._engines.load(self.workspace_id)

    async def get(self, name: str) -> PolicyRow:
        """Raises NotFound."""
        async with self._database.read() as session:
            return await self._found(session, name)

    async def versions(self, name: str, skip: int, limit: int) -> Sequence[PolicyVersionRow]:
        """Newest first, of a deleted policy too. Raises NotFound."""
        query = (
            select(PolicyVersionRow)
            .where(PolicyVersionRow.workspace_id == self.workspace_id, PolicyVersionRow.name == name)
            .order_by(PolicyVersionRow.version.desc())
        )
        async with self._database.read() as session:
            found = (await session.scalars(query.offset(skip).limit(limit))).all()
        if not found and skip == 0:
            raise NotFound(f"no policy {name!r}; `mutx policies list` shows them")
        return found

    async def snapshot(self, policy_version: str) -> PolicySnapshotRow:
        """What a decision's policy version was made of. Raises NotFound."""
        query = select(PolicySnapshotRow).where(
            PolicySnapshotRow.workspace_id == self.workspace_id, PolicySnapshotRow.policy_version == policy_version
        )
        async with self._database.read() as session:
            found = await session.scalar(query.order_by(PolicySnapshotRow.revision).limit(1))
        if found is None:
            raise NotFound(f"no policy version {policy_version} was ever in force here")
        return found

    # -- changing -----------------------------------------------------------------------------------------------

    async def create(self, wanted: PolicyWrite) -> PolicyRow:
        """Raises PolicyInvalid, Conflict (the name is taken)."""
        return await self._put(wanted, new_only=True)

    async def put(self, name: str, wanted: PolicyWrite) -> PolicyRow:
        """Replace a policy, or add it. Raises PolicyInvalid, InputError."""
        if wanted.name != name:
            raise InputError(f"the address names {name!r} and the body {wanted.name!r}; a policy cannot be renamed")
        return await self._put(wanted, new_only=False)

    async def delete(self, name: str) -> None:
        """Raises NotFound."""
        self._refuse_followed()
        for _ in range(ATTEMPTS):
            async with self._database.read() as session:
                row = await self._found(session, name)
                version = await self._next_version(session, name)
            if await self._apply("deleted", replace(stored(row), version=version), enabled=False):
                return
        raise Conflict(BUSY)

    async def reload(self) -> PolicyEngine:
        """Read the workspace's policies again and put them in force here."""
        return await self._engines.load(self.workspace_id)

    async def _put(self, wanted: PolicyWrite, *, new_only: bool) -> PolicyRow:
        self._refuse_followed()
        name, (kind, document) = wanted.name, content_of(wanted)
        parsed = await asyncio.to_thread(checked, name, kind, document)
        self._engines.remember(parsed)
        for _ in range(ATTEMPTS):
            async with self._database.read() as session:
                known = await self._find(session, name)
                version = await self._next_version(session, name)
            if known is not None and new_only:
                raise Conflict(f"there is a policy {name!r} already; replace it with PUT /v1/policies/{name}")
            if known is not None and (known.document, known.enabled) == (document, wanted.enabled):
                return known
            policy = StoredPolicy(
                id=known.id if known else new_id(),
                name=name,
                version=version,
                kind=kind,
                document=document,
                digest=parsed.digest,
            )
            if await self._apply("updated" if known else "created", policy, enabled=wanted.enabled):
                return await self.get(name)
        raise Conflict(BUSY)

    async def _apply(self, change: str, policy: StoredPolicy, *, enabled: bool) -> bool:
        """Compile what would be in force, write it, put it in force. False if somebody else changed it meanwhile."""
        async with self._database.read() as session:
            revision = await revision_of(session, self.workspace_id)
            others = [p for p in await enabled_policies(session, self.workspace_id) if p.name != policy.name]
        members = sorted([*others, policy], key=lambda p: p.name) if enabled else others
        engine = await self._engines.compile(members)
        what = PolicyChange(
            change=change,
            policy=policy,
            enabled=enabled,
            revision=revision + 1,
            policy_version=engine.version,
            members=members,
            by=self._caller,
            at=to_datetime(self._clock.now()),
        )
        try:
            async with self._database.write() as session:
                if await revision_of(session, self.workspace_id) != revision:
                    return False
                await write(session, await self._find(session, policy.name), what)
        except IntegrityError:
            return False
        self._engines.install(self.workspace_id, what.revision, engine)
        return True

    def _refuse_followed(self) -> None:
        if (source := self._engines.followed.get(self.workspace_id)) is not None:
            raise Conflict(f"these policies come from {source}; change them there")

    async def _found(self, session: AsyncSession, name: str) -> PolicyRow:
        row = await self._find(session, name)
        if row is None:
            raise NotFound(f"no policy {name!r}; `mutx policies list` shows them")
        return row

    async def _find(self, session: AsyncSession, name: str) -> PolicyRow | None:
        query = select(PolicyRow).where(PolicyRow.workspace_id == self.workspace_id, PolicyRow.name == name)
        return (await session.scalars(query)).one_or_none()

    async def _next_version(self, session: AsyncSession, name: str) -> int:
        """A policy that is added again goes on counting where it ended."""
        query = select(func.max(PolicyVersionRow.version)).where(
            PolicyVersionRow.workspace_id == self.workspace_id, PolicyVersionRow.name == name
        )
        return (await session.scalar(query) or 0) + 1
