"""A change of policy as rows: the policy, its new version, what is in force from now on, and the news of it."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.governance.types import Caller
from mutx.resources.policies.compiling import StoredPolicy
from mutx.resources.policies.models import PolicyRow, PolicySnapshotRow, PolicyVersionRow
from mutx.storage.outbox import tell


class PolicyChange(Struct, frozen=True, kw_only=True):
    """A policy as it is to be, and what is in force with it. `change`: created, updated or deleted."""

    change: str
    policy: StoredPolicy
    enabled: bool
    revision: int
    """Of the workspace's policies, after the change."""
    policy_version: str
    members: Sequence[StoredPolicy]
    by: Caller
    at: datetime


async def write(session: AsyncSession, known: PolicyRow | None, what: PolicyChange) -> None:
    """Store the change. `known` is the policy's present row, of this session."""
    await write_together(session, [(known, what)])


async def write_together(session: AsyncSession, changes: Sequence[tuple[PolicyRow | None, PolicyChange]]) -> None:
    """Store changes that come into force at once: all of one revision."""
    for known, what in changes:
        if what.change == "deleted":
            await session.delete(known)
        else:
            _keep(session, known, what)
        session.add(_version(what))
    session.add(_snapshot(changes[-1][1]))
    await tell(session, [_audit(what) for _, what in changes])


def _keep(session: AsyncSession, known: PolicyRow | None, what: PolicyChange) -> None:
    policy = what.policy
    row = known
    if row is None:
        row = PolicyRow(id=policy.id, workspace_id=what.by.workspace_id, name=policy.name, created_at=what.at)
        session.add(row)
    row.version, row.enabled, row.updated_at = policy.version, what.enabled, what.at
    row.kind, row.document, row.digest = policy.kind.value, policy.document, policy.digest


def _version(what: PolicyChange) -> PolicyVersionRow:
    policy = what.policy
    return PolicyVersionRow(
        workspace_id=what.by.workspace_id,
        name=policy.name,
        version=policy.version,
        change=what.change,
        kind=policy.kind.value,
        enabled=what.enabled,
        document=policy.document,
        digest=policy.digest,
        changed_by=what.by.user_id,
        created_at=what.at,
    )


def _snapshot(what: PolicyChange) -> PolicySnapshotRow:
    return PolicySnapshotRow(
        workspace_id=what.by.workspace_id,
        revision=what.revision,
        policy_version=what.policy_version,
        members=[{"name": p.name, "version": p.version, "digest": p.digest} for p in what.members],
        created_at=what.at,
    )


def _audit(what: PolicyChange) -> Event:
    """For the audit log; without the document."""
    caller, policy = what.by, what.policy
    payload = {
        "event_type": "POLICY_CHANGE",
        "actor_type": caller.kind.value,
        "actor_id": caller.user_id,
        "actor_display": caller.email,
        "user_id": caller.user_id,
        "change": what.change,
        "policy": policy.name,
        "version": policy.version,
        "enabled": what.enabled,
        "digest": policy.digest,
        "policy_version": what.policy_version,
    }
    return Event(topic="audit.policy", workspace_id=caller.workspace_id, at=what.at.timestamp(), payload=payload)
