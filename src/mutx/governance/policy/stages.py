"""The stages of a decision that no rule writes: an agent's phases, and what is rewritten whichever rule decided."""

from msgspec.structs import replace

from mutx.governance.policy.case import Case, Ruling
from mutx.governance.types import Effect, ReasonCode


def out_of_phase(case: Case) -> Ruling | None:
    """The denial of a call whose phase it is not."""
    if case.slate.plan is None or not case.slate.phased:
        return None
    reason = case.slate.plan.out_of_phase(case.action.tool_name, case.observation.context, case.facts.now)
    return Ruling(effect=Effect.DENY, code=ReasonCode.OUT_OF_PHASE, reason=reason) if reason else None


def rewritten(case: Case, ruling: Ruling) -> Ruling:
    """The ruling with what the rewrites make of the arguments."""
    before = case.action.tool_args if ruling.modified_args is None else ruling.modified_args
    arguments, lines = before, ruling.modifications
    for one in case.slate.rewrites:
        if one.entry.session is None or one.entry.session.matches(case.action.session_id):
            assert one.entry.rewriter is not None  # rewrites have steps
            arguments, done = one.entry.rewriter.apply(arguments)
            lines += done
    if arguments == before:
        return ruling
    effect = Effect.MODIFY if ruling.effect.runs else ruling.effect
    return replace(ruling, effect=effect, modified_args=arguments, modifications=lines)
