"""Collect what a decision depends on: the session, the policy in force, dependencies, grants."""

from msgspec import Struct

from mutx.governance.context import ContextAccumulator, Observation
from mutx.governance.hops import Chain
from mutx.governance.intent import action_text
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.ports import Delegations, Embedder, Ledger, Paused, Policies, SessionState
from mutx.governance.turn import ActionState
from mutx.governance.types import Effect, GrantFact, MeasuredDistance, NormalizedAction, ToolCall
from mutx.kit.clock import Clock
from mutx.kit.errors import NotFound, VerificationFailed


class Dependencies(Struct, frozen=True, gc=False):
    """How the actions that one depends on stand."""

    waiting: tuple[str, ...] = ()
    denied: str | None = None
    depth: int = 0


class Delegated(Struct, frozen=True, gc=False):
    """By whose right a call is made."""

    chain: Chain = ()
    broken: str | None = None


OWN_RIGHT = Delegated()


class Gatherer:
    """Reads; decides nothing and writes nothing."""

    def __init__(
        self,
        ledger: Ledger,
        policies: Policies,
        accumulator: ContextAccumulator,
        clock: Clock,
        delegations: Delegations | None = None,
        paused: Paused | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """`delegations`: None where no agent can hand anything on. `paused`: None where nobody watches agents.

        `embedder`: None where words alone say how far an action is from its request.
        """
        self.embedder = embedder
        self.paused = paused
        self.ledger = ledger
        self.accumulator = accumulator
        self._policies = policies
        self._clock = clock
        self._delegations = delegations

    async def engine(self, workspace_id: str) -> PolicyEngine:
        return self._policies.current(workspace_id) or await self._policies.load(workspace_id)

    async def session(self, workspace_id: str, session_id: str) -> SessionState:
        return self.ledger.cached(workspace_id, session_id) or await self.ledger.load(workspace_id, session_id)

    def now(self, state: SessionState) -> float:
        """The clock, held so that time never runs backwards within a session."""
        return max(self._clock.now(), state.last_at)

    def clock(self) -> float:
        return self._clock.now()

    def observe(
        self,
        state: SessionState,
        action: NormalizedAction,
        engine: PolicyEngine,
        call: ToolCall | None = None,
        measured: MeasuredDistance | None = None,
    ) -> Observation:
        """`call`: the one under decision; the session's first is judged on the request that it brings."""
        opening = self.accumulator.opening(state.context, action, call) if call is not None else None
        schema = engine.tool(action.tool_name)
        return self.accumulator.observe(state.context, action, schema, opening, engine.thresholds, measured)

    async def measure(
        self, workspace_id: str, session_id: str, call: ToolCall | NormalizedAction
    ) -> MeasuredDistance | None:
        """How far the embedding model, if there is one, finds a call from what its session was asked for."""
        if self.embedder is None:
            return None
        context = (await self.session(workspace_id, session_id)).context
        asked = [context.original_request, context.stated_intent]
        if context.scope is None and isinstance(call, ToolCall):
            asked = [call.original_request, call.stated_intent]
        request = "\n".join(text for text in asked if text)
        return await self.embedder.measure(request, action_text(call.tool_name, call.tool_args)) if request else None

    def is_paused(self, workspace_id: str, agent_id: str) -> bool:
        return self.paused is not None and self.paused(workspace_id, agent_id)

    async def action(self, workspace_id: str, action_id: str) -> ActionState:
        """Raises NotFound, for another workspace's action as well."""
        known = await self.ledger.action(workspace_id, action_id)
        if known is None:
            raise NotFound(f"no action {action_id}; `decide` comes first")
        return known

    async def dependencies(self, workspace_id: str, ids: tuple[str, ...]) -> Dependencies:
        """Raises NotFound where an id names no action of this workspace."""
        waiting, denied, depth = [], None, 0
        for action_id in ids:
            known = await self.action(workspace_id, action_id)
            if known.effect.waits:
                waiting.append(action_id)
                depth = max(depth, 1 + (known.request.depth if known.request else 0))
            elif known.effect is Effect.DENY:
                denied = action_id
        return Dependencies(tuple(waiting), denied, depth)

    async def delegation(self, token: str, workspace_id: str) -> "Delegated":
        """The chain that a call names, and why it does not hold, if it does not."""
        if self._delegations is None:
            return Delegated(broken="this control plane keeps no delegations")
        try:
            chain = await self._delegations.open(token, workspace_id)
        except VerificationFailed as error:
            return Delegated(broken=str(error))
        return Delegated(chain, await self._delegations.broken(workspace_id, chain))

    async def undelegated(self, workspace_id: str, chain: Chain) -> str | None:
        """Why a chain that held once holds no more."""
        if not chain or self._delegations is None:
            return None
        return await self._delegations.broken(workspace_id, chain)

    async def grants(self, action: NormalizedAction) -> tuple[GrantFact, ...]:
        found = await self.ledger.grants(action.workspace_id, action.agent_id, action.tool_name, self._clock.now())
        return tuple(GrantFact(g.id, g.rules, g.expires_at, g.uses_left) for g in found)


def depends_on(parent: str | None, others: tuple[str, ...]) -> tuple[str, ...]:
    return others if parent is None or parent in others else (parent, *others)
