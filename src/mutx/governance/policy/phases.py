"""Phases of a workflow: the tools of one are out of reach in the others.

A session begins in the first phase of its agent. It enters the next one when an allowed call of `phase/<id>` says so, or
when the phase's time is over; a phase whose time is over and that has no next leaves no phase at all. Tools that no phase
names are not concerned.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec.structs import replace

from mutx.governance.context import SessionContext
from mutx.governance.context.apply import PHASE_TOOL
from mutx.governance.policy.globs import overlap, parse_glob
from mutx.governance.policy.model import Phase, PolicyDocument
from mutx.kit.errors import PolicyInvalid


class PhasePlan:
    """The phases of one agent, or of the agents that match one glob, in order."""

    __slots__ = ("_globs", "_phases", "agent", "policy")

    def __init__(self, policy: str, phases: Sequence[Phase]) -> None:
        """Raises PolicyInvalid for a `next` that leads nowhere, or back."""
        self.policy = policy
        self.agent = parse_glob(phases[0].agent)
        following = {phase.id: after.id for phase, after in pairwise(phases)}
        self._phases = {
            phase.id: phase if phase.next else replace(phase, next=following.get(phase.id)) for phase in phases
        }
        self._globs = {phase.id: tuple(map(parse_glob, phase.tools)) for phase in phases}
        for phase in phases:
            self._check(phase)

    def concerns(self, tool: str) -> bool:
        """Whether any phase has a say in calls of this tool."""
        return tool.startswith(PHASE_TOOL) or any(self._shows(phase, tool) for phase in self._phases)

    def current(self, context: SessionContext, now: float) -> Phase | None:
        """The phase that the session is in; None: the last one's time is over."""
        phase, since = self._entered(context, now)
        while phase is not None and phase.duration is not None and now - since >= phase.duration:
            since += phase.duration
            phase = self._phases[phase.next] if phase.next else None
        return phase

    def out_of_phase(self, tool: str, context: SessionContext, now: float) -> str:
        """Why the call is out of phase; empty if it is not."""
        phase = self.current(context, now)
        if phase is None:
            return f"{tool} belongs to a phase, and the time of the last phase is over"
        if tool.startswith(PHASE_TOOL):
            wanted = tool.removeprefix(PHASE_TOOL)
            allowed = wanted in (phase.id, phase.next)
            return "" if allowed else f"phase {wanted} does not follow phase {phase.id}, which the session is in"
        return (
            ""
            if self._shows(phase.id, tool)
            else f"{tool} is not available in phase {phase.id}, which the session is in"
        )

    def _entered(self, context: SessionContext, now: float) -> tuple[Phase | None, float]:
        if context.phase in self._phases:
            return self._phases[context.phase], context.phase_at
        first = next(iter(self._phases.values()))
        # A session that has decided nothing begins with this call; when it was opened differs from when it is replayed.
        return first, context.created_at if context.counters.tool_call_count else now

    def _shows(self, phase: str, tool: str) -> bool:
        return any(glob.matches(tool) for glob in self._globs[phase])

    def _check(self, phase: Phase) -> None:
        seen = {phase.id}
        at: str | None = self._phases[phase.id].next
        while at is not None:
            if at not in self._phases:
                raise PolicyInvalid(f"policy {self.policy}: phase {phase.id} is followed by {at}, which is no phase")
            if at in seen:
                raise PolicyInvalid(f"policy {self.policy}: phase {at} leads back to itself; phases go one way")
            seen.add(at)
            at = self._phases[at].next


def phase_plans(enabled: Iterable[PolicyDocument]) -> tuple[PhasePlan, ...]:
    """One plan per agent glob. Raises PolicyInvalid where an agent would follow two."""
    plans: list[PhasePlan] = []
    for document in enabled:
        agents = dict.fromkeys(phase.agent for phase in document.phases)
        for agent in agents:
            plan = PhasePlan(document.name, [phase for phase in document.phases if phase.agent == agent])
            for other in plans:
                if overlap(agent, other.agent.pattern):
                    raise PolicyInvalid(
                        f"policies {other.policy} and {plan.policy} both name phases for agents like {agent}; an agent follows one plan"
                    )
            plans.append(plan)
    return tuple(plans)
