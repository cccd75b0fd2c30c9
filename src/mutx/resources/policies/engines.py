"""The policies in force, compiled: one engine per workspace, swapped whole. `governance.ports.Policies`."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.policies import PolicyKind
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.model import PolicyDocument
from mutx.resources.policies.compiling import StoredPolicy, build, read_document
from mutx.resources.policies.models import PolicyRow, PolicySnapshotRow
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database
from mutx.storage.looks import Looks

WORKSPACES = 4096
DOCUMENTS = 256

CHANGED = "policies"
"""The bus's topic of a change in any workspace."""


class InForce(Struct, frozen=True):
    """An engine and the revision of the workspace's policies that it was compiled from."""

    revision: int
    engine: PolicyEngine


class PolicyEngines:
    """Compiles off the loop and swaps one reference; a decision sees the old set or the new one, never a mixture."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._looks = Looks(database)
        self._in_force: OrderedDict[str, InForce] = OrderedDict()
        self._documents: OrderedDict[tuple[str, str], PolicyDocument] = OrderedDict()
        self.followed: dict[str, str] = {}
        """Workspaces whose policies come signed from elsewhere, and from where: they are not changed here."""

    def current(self, workspace_id: str) -> PolicyEngine | None:
        """The engine in force if this process holds it; never touches the store."""
        held = self._in_force.get(workspace_id)
        return held.engine if held else None

    async def load(self, workspace_id: str) -> PolicyEngine:
        """Read, compile and put in force what the store has."""
        async with self._database.read() as session:
            revision = await revision_of(session, workspace_id)
            enabled = await enabled_policies(session, workspace_id)
        engine = await self.compile(enabled)
        self._looks.again()  # what was changed while this was read is not in it
        return self.install(workspace_id, revision, engine)

    async def compile(self, policies: Sequence[StoredPolicy]) -> PolicyEngine:
        """The engine over these policies. Raises PolicyInvalid; nothing is put in force."""
        return await asyncio.to_thread(self._compile, tuple(policies))

    def install(self, workspace_id: str, revision: int, engine: PolicyEngine) -> PolicyEngine:
        """Put `engine` in force unless a later revision already is; the one in force comes back."""
        held = self._in_force.get(workspace_id)
        if held is not None and held.revision >= revision:
            return held.engine
        self._in_force[workspace_id] = InForce(revision, engine)
        self._bus.publish(f"policies:{workspace_id}", {"policy_version": engine.version})
        self._bus.publish(CHANGED, {"workspace_id": workspace_id})
        if held is not None:
            asyncio.get_running_loop().run_in_executor(None, let_go, [held.engine])
        if len(self._in_force) > WORKSPACES:
            self._in_force.popitem(last=False)
        return engine

    async def refresh(self) -> None:
        """Load again what another process changed. `PolicyWatch` calls it."""
        if self._in_force:
            await self._looks.take(self._look)

    async def _look(self) -> None:
        async with self._database.read() as session:
            revisions = await _revisions(session, list(self._in_force))
        for workspace_id, revision in revisions.items():
            held = self._in_force.get(workspace_id)
            if held is not None and held.revision < revision:
                await self.load(workspace_id)

    def remember(self, document: PolicyDocument) -> None:
        """A document that was just read: putting it in force need not read it again."""
        self._documents[document.name, document.digest] = document
        if len(self._documents) > DOCUMENTS:
            self._documents.popitem(last=False)

    def _compile(self, policies: tuple[StoredPolicy, ...]) -> PolicyEngine:
        return build([self._document(policy) for policy in policies])

    def _document(self, policy: StoredPolicy) -> PolicyDocument:
        """Parsing costs far more than compiling, so parsed documents are kept by digest."""
        known = self._documents.get((policy.name, policy.digest))
        if known is None:
            known = read_document(policy.name, policy.kind, policy.document)
            self.remember(known)
        return known


def let_go(held: list[PolicyEngine]) -> None:
    """Free an engine, the last to hold it, in a thread: thousands of rules freed in one go would hold the loop up."""
    entries = list(held.pop().snapshot.entries)
    while entries:
        entries.pop()


async def revision_of(session: AsyncSession, workspace_id: str) -> int:
    """How often the workspace's policies have changed."""
    return (await _revisions(session, [workspace_id])).get(workspace_id, 0)


async def enabled_policies(session: AsyncSession, workspace_id: str) -> list[StoredPolicy]:
    query = select(PolicyRow).where(PolicyRow.workspace_id == workspace_id, PolicyRow.enabled).order_by(PolicyRow.name)
    return [stored(row) for row in await session.scalars(query)]


def stored(row: PolicyRow) -> StoredPolicy:
    return StoredPolicy(
        id=row.id,
        name=row.name,
        version=row.version,
        kind=PolicyKind(row.kind),
        document=row.document,
        digest=row.digest,
    )


async def _revisions(session: AsyncSession, workspaces: list[str]) -> Mapping[str, int]:
    query = (
        select(PolicySnapshotRow.workspace_id, func.max(PolicySnapshotRow.revision))
        .where(PolicySnapshotRow.workspace_id.in_(workspaces))
        .group_by(PolicySnapshotRow.workspace_id)
    )
    return {workspace_id: revision for workspace_id, revision in await session.execute(query)}  # noqa: C416 - rows
