"""What may still stop a call that the rules let through: DESIGN §2 (5)."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.context.observation import MAX_SHOWN
from mutx.governance.policy.case import Case, Ruling
from mutx.governance.tools import ToolSchema
from mutx.governance.types import (
    STRICTNESS,
    ApprovalSpec,
    ArgumentOrigin,
    Effect,
    IntentSignal,
    Origin,
    ReasonCode,
)

DRIFTS = frozenset({IntentSignal.DRIFT_SUSPECTED, IntentSignal.DRIFT_CONFIRMED})
ESCALATE_SHARE = 0.6


class Doubt(Struct, frozen=True):
    """One reason not to let the call through yet."""

    effect: Effect
    code: ReasonCode
    ask: str
    reason: str
    critical: ArgumentOrigin | None = None


def safeguarded(case: Case, ruling: Ruling) -> Ruling:
    """The ruling, or the strictest that the open doubts demand. One approval answers all questions at once."""
    if case.slate.calm and case.observation.intent not in DRIFTS:
        return ruling
    doubts = [doubt for doubt in _doubts(case) if not _answered(case, doubt)]
    if not doubts:
        return replace(ruling, code=case.consent.code(ruling.code))
    worst = max(doubts, key=lambda doubt: STRICTNESS[doubt.effect])
    asked = [doubt for doubt in doubts if doubt.effect is worst.effect]
    return replace(
        ruling,
        effect=worst.effect,
        code=worst.code,
        reason="; ".join(doubt.reason for doubt in asked),
        asks=tuple(doubt.ask for doubt in asked),
        approval=_approval(case),
        critical=tuple(doubt.critical for doubt in doubts if doubt.critical is not None),
    )


def _answered(case: Case, doubt: Doubt) -> bool:
    if doubt.effect is Effect.STEP_UP:
        # Requests of before the values were part of the question still stand for the action that they are about.
        return case.consent.answers(doubt.ask) or case.consent.resolves(doubt.ask.rpartition("@")[0])
    return doubt.effect is Effect.DEFER and case.consent.resolves(doubt.ask)


def _doubts(case: Case) -> Iterator[Doubt]:
    schema = case.slate.schema
    if schema is not None:
        yield from _told(case, schema)
        if schema.ask_hearsay:
            yield from _hearsay(case, schema)
        for path in schema.critical:
            yield from _argument(case, schema, path)
    if case.observation.intent in DRIFTS:
        yield from _drift(case, case.observation.intent)
    if schema is not None and schema.requires_approval and not case.consent.approved and case.consent.grant_id is None:
        code = ReasonCode.REQUIRES_APPROVAL
        yield Doubt(Effect.STEP_UP, code, code.value, f"{schema.name} needs a person's approval")


def _told(case: Case, schema: ToolSchema) -> Iterator[Doubt]:
    """Did the user ask for this, and did somebody else?"""
    if case.observation.unrequested:
        code = ReasonCode.UNREQUESTED_ACTION
        yield Doubt(Effect.STEP_UP, code, code.value, f"the user's request does not ask for what {schema.name} does")
    told = case.observation.told if schema.ask_instructed else None
    if told is not None:
        text = f"untrusted output told its reader to do this: {told.path}"
        origin = ArgumentOrigin(told.path, told.value[:MAX_SHOWN], Origin.UNTRUSTED)
        yield _question(case, ReasonCode.INSTRUCTED_BY_DATA, told.path, text, origin)


def _hearsay(case: Case, schema: ToolSchema) -> Iterator[Doubt]:
    """What nobody vouches for, of arguments that are not critical: those have a question of their own."""
    for origin in case.observation.hearsay:
        if origin.name not in (*schema.critical, *schema.selectable):
            text = f"{origin.name} holds a value that only an untrusted text mentions ({origin.source or 'source unknown'})"
            yield _question(case, ReasonCode.UNTRUSTED_ARGUMENT, origin.name, text, origin)


def _argument(case: Case, schema: ToolSchema, path: str) -> Iterator[Doubt]:
    """Where does a critical argument's value come from, and may it?"""
    origin = case.observation.origin_of(path)
    if origin.origin is Origin.UNTRUSTED and path in schema.referable:
        origin = case.observation.referred(path)
    if origin.origin is Origin.UNTRUSTED:
        if path in schema.selectable or _is_letter(origin.value):
            return
        # Without the value: a reason stands in the receipt for good, the value beside it until it is erased.
        text = f"{path} is known only from untrusted output ({origin.source or 'source unknown'})"
        yield _question(case, ReasonCode.UNTRUSTED_ARGUMENT, path, text, origin)
    elif origin.origin is Origin.NOWHERE and (
        schema.ask_unknown or (schema.ask_invented and case.observation.invents(path))
    ):
        text = f"{path} holds a value that was mentioned by nobody before"
        yield _question(case, ReasonCode.UNKNOWN_ARGUMENT, path, text, origin)


def _is_letter(value: str) -> bool:
    """A code of one letter names nothing that a text could have brought in: it stands in every text."""
    return len(value) == 1 and value.isalpha()


def _question(case: Case, code: ReasonCode, path: str, text: str, origin: ArgumentOrigin) -> Doubt:
    """About exactly these values in this session: a grant of the answer covers no others."""
    return Doubt(Effect.STEP_UP, code, f"{code}:{path}@{case.observation.mark(path)}", text, origin)


def _drift(case: Case, signal: IntentSignal) -> Iterator[Doubt]:
    effect = case.snapshot.intent[signal]
    needs = any(entry.rule.require_alignment for entry in case.found.applied)
    if needs and STRICTNESS[effect] < STRICTNESS[Effect.STEP_UP]:
        effect = Effect.STEP_UP
    if effect is not Effect.ALLOW:
        code = ReasonCode.INTENT_MISALIGNED
        ask = f"defer:{code}" if effect is Effect.DEFER else code.value
        yield Doubt(effect, code, ask, f"the session has moved away from its request ({signal.value})")


def _approval(case: Case) -> ApprovalSpec | None:
    """The deciding rule's approvers, else everyone who approves, within the tool's own time."""
    if case.found.applied:
        return case.found.applied[0].rule.approval
    schema = case.slate.schema
    if schema is None:
        return None
    timeout = float(schema.approval_timeout_seconds)
    return ApprovalSpec(timeout=timeout, escalate_after=ESCALATE_SHARE * timeout)
