"""One decision under way: what it is about, and the outcome as it stands so far."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mutx.governance.context import Observation
from mutx.governance.policy.consent import Consent
from mutx.governance.policy.entries import Found
from mutx.governance.policy.snapshot import PolicySnapshot, Slate
from mutx.governance.policy.variables import Variables
from mutx.governance.types import (
    ApprovalSpec,
    ArgumentOrigin,
    Charge,
    Decision,
    Effect,
    Facts,
    NormalizedAction,
    Reading,
    ReasonCode,
    RuleRef,
)


class Case(Struct, frozen=True, gc=False):
    """All that the stages of one decision look at."""

    snapshot: PolicySnapshot
    slate: Slate
    action: NormalizedAction
    observation: Observation
    facts: Facts
    counter: Callable[[str], int]
    variables: Variables
    found: Found
    consent: Consent


class Ruling(Struct, frozen=True, kw_only=True, gc=False):
    """An outcome with its reasons; later stages replace it by a stricter one."""

    effect: Effect
    code: ReasonCode
    reason: str
    rule: RuleRef | None = None
    matched: tuple[RuleRef, ...] = ()
    missing: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    approval: ApprovalSpec | None = None
    alerts: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    modified_args: dict[str, Any] | None = None
    modifications: tuple[str, ...] = ()
    critical: tuple[ArgumentOrigin, ...] = ()
    charges: tuple[Charge, ...] = ()
    readings: tuple[Reading, ...] = ()


def decision(case: Case, ruling: Ruling) -> Decision:
    runs = ruling.effect.runs
    return Decision(
        effect=ruling.effect,
        reason_code=ruling.code,
        reason=ruling.reason,
        policy_version=case.snapshot.version,
        rule=ruling.rule,
        matched=ruling.matched,
        modified_args=ruling.modified_args if runs or ruling.effect.waits else None,
        modifications=ruling.modifications if runs or ruling.effect.waits else (),
        missing=ruling.missing,
        read=ruling.read,
        critical=ruling.critical,
        approval=ruling.approval if ruling.effect.waits else None,
        asks=ruling.asks if ruling.effect.waits else (),
        charges=ruling.charges if runs else (),
        readings=ruling.readings,
        alerts=ruling.alerts if runs else (),
        notify=ruling.notify,
        risk=case.slate.risk,
        category=case.slate.category,
        intent=case.observation.intent,
        grant_id=case.consent.grant_id if runs else None,
    )
