"""Policies as the wire shows them."""

from mutx.contract.policies import (
    Policy,
    PolicyKind,
    PolicySnapshotMember,
    PolicySnapshotRecord,
    PolicyVersion,
)
from mutx.resources.policies.compiling import read_rules
from mutx.resources.policies.models import PolicyRow, PolicySnapshotRow, PolicyVersionRow


def policy(row: PolicyRow) -> Policy:
    short = row.kind == PolicyKind.SHORT
    return Policy(
        id=row.id,
        name=row.name,
        rules=read_rules(row.document) if short else [],
        enabled=row.enabled,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        kind=PolicyKind(row.kind),
        document=None if short else row.document,
        digest=row.digest,
    )


def version(row: PolicyVersionRow) -> PolicyVersion:
    return PolicyVersion.model_validate(row)


def snapshot(row: PolicySnapshotRow) -> PolicySnapshotRecord:
    return PolicySnapshotRecord(
        policy_version=row.policy_version,
        members=[PolicySnapshotMember.model_validate(member) for member in row.members],
        created_at=row.created_at,
    )
