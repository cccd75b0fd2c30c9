"""The policies of another control plane as this one's: a signed bundle becomes what the store has, whole or not at all."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.policies import PolicyKind
from mutx.governance.policy_bundle import PolicyBundle
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, PolicyInvalid, VerificationFailed
from mutx.kit.ids import new_id
from mutx.resources.policies.compiling import StoredPolicy
from mutx.resources.policies.engines import PolicyEngines, revision_of, stored
from mutx.resources.policies.models import PolicyRow, PolicyVersionRow
from mutx.resources.policies.writing import PolicyChange, write_together
from mutx.storage.engine import Database


class PolicyMirror:
    """Of one workspace, which nobody else changes while it is followed."""

    def __init__(self, database: Database, engines: PolicyEngines, clock: Clock, caller: Caller, source: str) -> None:
        """`caller`: in whose workspace, and who is said to have changed it. `source`: where the bundles come from."""
        self._database = database
        self._engines = engines
        self._clock = clock
        self._caller = caller
        engines.followed[caller.workspace_id] = source

    async def take(self, bundle: PolicyBundle) -> None:
        """Put the bundle's policies in force in place of all others. Raises PolicyInvalid, VerificationFailed, Conflict."""
        workspace_id = self._caller.workspace_id
        async with self._database.read() as session:
            revision = await revision_of(session, workspace_id)
            rows = {row.name: row for row in await session.scalars(_rows(workspace_id))}
            versions = await _versions(session, workspace_id)
        wanted = [_wanted(each, rows, versions) for each in _policies(bundle)]
        engine = await self._engines.compile(wanted)
        if wanted and engine.version != bundle.policy_version:
            raise VerificationFailed("the policy bundle's documents are not those of its policy version")
        changes = _changes(rows, wanted, versions)
        if not changes:
            self._engines.install(workspace_id, revision, engine)
            return
        at = to_datetime(self._clock.now())
        async with self._database.write() as session:
            if await revision_of(session, workspace_id) != revision:
                raise Conflict("somebody else changed these policies; the bundle is taken again")
            present = {row.name: row for row in await session.scalars(_rows(workspace_id))}
            await write_together(
                session,
                [
                    (
                        present.get(policy.name),
                        PolicyChange(
                            change=change,
                            policy=policy,
                            enabled=change != "deleted",
                            revision=revision + 1,
                            policy_version=engine.version,
                            members=wanted,
                            by=self._caller,
                            at=at,
                        ),
                    )
                    for change, policy in changes
                ],
            )
        self._engines.install(workspace_id, revision + 1, engine)


def _policies(bundle: PolicyBundle) -> Sequence[StoredPolicy]:
    try:
        return [
            StoredPolicy(
                id="", name=each.name, version=0, kind=PolicyKind(each.kind), document=each.document, digest=each.digest
            )
            for each in bundle.policies
        ]
    except ValueError as error:
        raise PolicyInvalid(f"the policy bundle holds a kind that this version does not know: {error}") from error


def _wanted(policy: StoredPolicy, rows: Mapping[str, PolicyRow], versions: Mapping[str, int]) -> StoredPolicy:
    """With this store's id, and its version where nothing changes; else the next one."""
    row = rows.get(policy.name)
    if row is not None and _same(row, policy):
        return stored(row)
    return replace(policy, id=row.id if row else new_id(), version=versions.get(policy.name, 0) + 1)


def _same(row: PolicyRow, policy: StoredPolicy) -> bool:
    return row.enabled and (row.kind, row.document) == (policy.kind.value, policy.document)


def _changes(
    rows: Mapping[str, PolicyRow], wanted: Sequence[StoredPolicy], versions: Mapping[str, int]
) -> list[tuple[str, StoredPolicy]]:
    """What is done, by name: created, updated or deleted."""
    kept = {policy.name for policy in wanted}
    put = [
        ("updated" if p.name in rows else "created", p)
        for p in wanted
        if p.name not in rows or not _same(rows[p.name], p)
    ]
    gone = [
        ("deleted", replace(stored(row), version=versions[name] + 1)) for name, row in rows.items() if name not in kept
    ]
    return [*put, *gone]


def _rows(workspace_id: str) -> Select[PolicyRow]:
    return select(PolicyRow).where(PolicyRow.workspace_id == workspace_id)


async def _versions(session: AsyncSession, workspace_id: str) -> dict[str, int]:
    """The last version of every policy there ever was: one that comes again goes on counting."""
    query = (
        select(PolicyVersionRow.name, func.max(PolicyVersionRow.version))
        .where(PolicyVersionRow.workspace_id == workspace_id)
        .group_by(PolicyVersionRow.name)
    )
    return {name: version for name, version in await session.execute(query)}  # noqa: C416 - rows
