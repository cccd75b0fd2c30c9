"""The engine put together as the server puts it together, with one policy engine and one agent's identity."""

from collections.abc import Sequence

from mutx.governance.context import ContextAccumulator
from mutx.governance.gather import Gatherer
from mutx.governance.mediator import ActionMediator
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.ports import SessionState, Signer
from mutx.governance.types import Caller, Door, Facts, PrincipalKind, ToolCall
from mutx.kit.clock import Clock, SystemClock
from mutx.kit.ids import new_id
from mutx.server.wiring import governance
from mutx.services.signing import EphemeralSigner
from mutx.storage.coordination import LocalBus
from mutx.storage.memory import MemoryLedger
from mutx.storage.views import LedgerStore
from mutx.storage.writer import Done

CALLER = Caller(
    workspace_id="01890000-0000-7000-8000-000000000001",
    principal_id="01890000-0000-7000-8000-000000000002",
    kind=PrincipalKind.AGENT,
    door=Door.HTTP,
    user_id="01890000-0000-7000-8000-000000000003",
    roles=("DEVELOPER",),
    scopes=("governance:act",),
    method="agent_key",
)


class OnePolicy:
    """`ports.Policies` that never changes."""

    def __init__(self, engine: PolicyEngine) -> None:
        self._engine = engine

    def current(self, workspace_id: str) -> PolicyEngine:
        return self._engine

    async def load(self, workspace_id: str) -> PolicyEngine:
        return self._engine


class Everybody:
    """`ports.Identities` that knows everyone."""

    async def current(self, caller: Caller) -> Caller:
        return caller

    async def may_approve_own(self, workspace_id: str) -> bool:
        return False


class NullSigner:
    """A signer that signs nothing, for figures without signatures."""

    key_id = "none"

    def sign(self, message: bytes) -> bytes:
        return bytes(64)

    def derive(self, purpose: bytes) -> bytes:
        return bytes(32)


class ForgetfulLedger(MemoryLedger):
    """Sessions advance, turns are kept nowhere: for figures without storage."""

    def _submit(self, turn: object, snapshot: bytes | None, done: Done) -> None:
        done(None, None)


NEWS = frozenset({"audit."})
"""What the sinks of a plain installation want to hear: no news of single decisions."""


class World:
    """One pipeline and its parts."""

    def __init__(self, engine: PolicyEngine, ledger: LedgerStore | None = None, signer: Signer | None = None) -> None:
        self.engine = engine
        self.clock: Clock = SystemClock()
        self.accumulator = ContextAccumulator()
        self.ledger = ledger or ForgetfulLedger(self.accumulator, self.clock)
        self.signer = signer or EphemeralSigner()
        self.gather = Gatherer(self.ledger, OnePolicy(engine), self.accumulator, self.clock)
        self.mediator = ActionMediator()
        self.pipeline: GovernancePipeline = governance(
            bus=LocalBus(),
            ledger=self.ledger,
            policies=OnePolicy(engine),
            identities=Everybody(),
            signer=self.signer,
            accumulator=self.accumulator,
            clock=self.clock,
            topics=NEWS,
        )

    def facts(self, state: SessionState) -> Facts:
        return Facts(
            context_hash=state.context.hash,
            now=self.clock.now(),
            roles=CALLER.roles,
            scopes=CALLER.scopes,
            principal_kind=CALLER.kind,
        )

    def counter(self, key: str) -> int:
        return self.ledger.counter(CALLER.workspace_id, key)

    async def state(self, session: str) -> SessionState:
        return await self.ledger.load(CALLER.workspace_id, session)

    async def observed(self, calls: Sequence[ToolCall]) -> list[tuple[object, ...]]:
        """Arguments of `PolicyEngine.evaluate`, one tuple per call, in one fresh session."""
        state = await self.state(calls[0].session_id)
        facts = self.facts(state)
        actions = [
            self.mediator.normalize(call, CALLER, tools=self.engine.tool, id=new_id(), now=facts.now) for call in calls
        ]
        return [(action, self.gather.observe(state, action, self.engine), facts, _nothing_used) for action in actions]


def _nothing_used(_: str) -> int:
    return 0
