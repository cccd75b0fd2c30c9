"""What can be wrong with a file only as a whole: blocks of one agent that contradict one another, phases that lead nowhere."""

from collections.abc import Iterator
from itertools import pairwise

from mutx.governance.policy.fpl.syntax import FplAgent, FplFile, FplPhase, Place
from mutx.governance.policy.nodes import PolicyProblem


def contradictions(file: FplFile) -> Iterator[PolicyProblem]:
    """Of the blocks of each agent together; flat statements are those of all agents."""
    for agent in dict.fromkeys(one.id for one in file.agents):
        blocks = [one for one in file.agents if one.id == agent]
        yield from _defaults(blocks)
        yield from _phases([phase for one in blocks for phase in one.phases])


def _defaults(blocks: list[FplAgent]) -> Iterator[PolicyProblem]:
    said = [one for one in blocks if one.default is not None]
    for again in said[1:]:
        first = said[0].default_at[0]
        yield _problem(again.default_at, f"`default` is said twice for agent {again.id}, first on line {first}")


def _phases(phases: list[FplPhase]) -> Iterator[PolicyProblem]:
    order = [phase.id for phase in phases]
    following = {phase.id: phase.next for phase in phases if phase.next is not None}
    following = {**dict(pairwise(order)), **following}
    for phase in phases:
        if phase.next is None:
            continue
        if phase.next not in order:
            yield _problem(phase.next_at, f"`{phase.next}` is no phase of this agent")
        elif _returns(phase.id, following):
            yield _problem(phase.next_at, f"phase {phase.id} leads back to itself; phases go one way")


def _returns(start: str, following: dict[str, str]) -> bool:
    at, seen = following.get(start), set[str]()
    while at is not None and at not in seen:
        if at == start:
            return True
        seen.add(at)
        at = following.get(at)
    return False


def _problem(place: Place, message: str) -> PolicyProblem:
    return PolicyProblem(line=place[0], column=place[1], code="contradiction", message=message)
