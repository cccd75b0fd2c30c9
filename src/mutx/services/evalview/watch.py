"""What this process knows of how agents behave: counts that wait to be stored, and who is paused.

Counting is part of every turn, so it is a few additions in memory; a job stores the counts every second, and every replica
adds its own. A process that dies takes at most that second along: rates over minutes bear it.
"""

from collections.abc import Iterable

from msgspec import Struct, field

from mutx.governance.turn import OutcomeStatus, Turn, TurnKind

MAX_AGENTS = 10_000
"""Agents counted between two stores; what comes beyond them is not counted."""
MAX_TOOLS = 200
"""Tools of one agent that are told apart between two stores."""

AgentKey = tuple[str, str]
"""Workspace id and agent id."""


class AgentCount(Struct):
    """Since it was last stored."""

    ended: int = 0
    failures: int = 0
    tools: dict[str, int] = field(default_factory=dict)


class AgentWatch:
    """One for each process; used on its event loop only."""

    def __init__(self) -> None:
        self._counts: dict[AgentKey, AgentCount] = {}
        self._paused: frozenset[AgentKey] = frozenset()

    def heard(self, turn: Turn) -> None:
        """A turn is on disk. What failed is what ran and failed: a refusal is the policy's doing, not the agent's."""
        if turn.kind is TurnKind.OUTCOME:
            count = self._count(turn)
            if count is not None:
                count.ended += 1
                count.failures += turn.outcome is not None and turn.outcome.status is OutcomeStatus.ERROR
        elif turn.decision.effect.runs and turn.facts.noted is None:
            count = self._count(turn)
            tool = turn.action.tool_name
            if count is not None and (tool in count.tools or len(count.tools) < MAX_TOOLS):
                count.tools[tool] = count.tools.get(tool, 0) + 1

    def take(self) -> dict[AgentKey, AgentCount]:
        """What waits to be stored; from now on it is the caller's."""
        taken, self._counts = self._counts, {}
        return taken

    def give_back(self, counts: dict[AgentKey, AgentCount]) -> None:
        """They could not be stored: count on from them."""
        newer, self._counts = self._counts, counts
        for key, more in newer.items():
            count = self._counts.setdefault(key, AgentCount())
            count.ended += more.ended
            count.failures += more.failures
            for tool, uses in more.tools.items():
                count.tools[tool] = count.tools.get(tool, 0) + uses

    def is_paused(self, workspace_id: str, agent_id: str) -> bool:
        return bool(self._paused) and (workspace_id, agent_id) in self._paused

    def pause_only(self, agents: Iterable[AgentKey]) -> None:
        """Whoever else was paused is not any more."""
        self._paused = frozenset(agents)

    def _count(self, turn: Turn) -> AgentCount | None:
        key = turn.workspace_id, turn.action.agent_id
        count = self._counts.get(key)
        if count is None and len(self._counts) < MAX_AGENTS:
            count = self._counts[key] = AgentCount()
        return count
