"""Where compliance probes run: a real pipeline on an empty ledger, a clock in their hands, and a tool that counts."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from mutx.governance.answer import Answer
from mutx.governance.context import ContextAccumulator
from mutx.governance.keys import KeyRing
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.ports import Identities, Ledger, Policies, Signer
from mutx.governance.turn import Outcome, OutcomeStatus, Turn
from mutx.governance.types import Caller, Door, PrincipalKind, ToolCall
from mutx.kit.clock import Clock, ManualClock

WORKSPACE, SESSION, AGENT = "compliance", "probe", "agent-under-probe"


class ProbeFailed(Exception):
    """The pipeline did what the requirement forbids."""


class BufferedLedger(Ledger, Protocol):
    """A ledger with its outbox (`storage.views.Outbox`)."""

    async def events(self, sink: str, limit: int) -> Sequence[Any]: ...


class FixedPolicies:
    """One engine for every workspace."""

    def __init__(self, engine: PolicyEngine) -> None:
        self._engine = engine

    def current(self, workspace_id: str) -> PolicyEngine | None:
        return self._engine

    async def load(self, workspace_id: str) -> PolicyEngine:
        return self._engine


class ProbeIdentities:
    """Everybody is who they were, until revoked."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    async def current(self, caller: Caller) -> Caller | None:
        return None if caller.principal_id in self.revoked else caller

    async def may_approve_own(self, workspace_id: str) -> bool:
        return False


class SpyTool:
    """A tool whose only effect is to remember that it ran."""

    def __init__(self) -> None:
        self.ran: list[dict[str, Any]] = []

    def __call__(self, args: dict[str, Any]) -> str:
        self.ran.append(args)
        return "done"


class Rig(Struct, frozen=True, kw_only=True):
    """One pipeline and what surrounds it."""

    pipeline: GovernancePipeline
    ledger: BufferedLedger
    clock: ManualClock
    identities: ProbeIdentities
    keys: KeyRing
    tool: SpyTool
    accumulator: ContextAccumulator

    async def call(self, name: str, session: str = SESSION, **args: Any) -> Answer:
        """What an enforcing client does: decide, and run the tool only with a redeemed permit."""
        return await self.decide(ToolCall(tool_name=name, tool_args=args, agent_id=AGENT, session_id=session))

    async def decide(self, call: ToolCall) -> Answer:
        answer = await self.pipeline.decide(call, AS_AGENT)
        await self.run(answer, call.tool_args)
        return answer

    async def run(self, answer: Answer, args: dict[str, Any], result: Any = None) -> None:
        """Run what `answer` permits; without a permit, nothing."""
        if answer.permit is None:
            return
        executed = args if answer.modified_args is None else answer.modified_args
        await self.pipeline.redeem(answer.permit, executed, AS_AGENT)
        done = self.tool(executed)
        outcome = Outcome(status=OutcomeStatus.EXECUTED, result=done if result is None else result)
        await self.pipeline.conclude(answer.action_id, outcome, AS_AGENT)

    async def turns(self, session: str = SESSION) -> Sequence[Turn]:
        return await self.ledger.turns(WORKSPACE, session)


class Assemble(Protocol):
    """Puts a pipeline together as the running control plane does."""

    def __call__(
        self,
        ledger: Any,
        policies: Policies,
        identities: Identities,
        signer: Signer,
        accumulator: ContextAccumulator,
        clock: Clock,
        /,
    ) -> GovernancePipeline: ...


class Laboratory:
    """Makes rigs. Storage and wiring stand above the engine, so ledger, signer and assembly are passed in."""

    def __init__(
        self,
        *,
        new_ledger: Callable[[ContextAccumulator, Clock], BufferedLedger],
        assemble: Assemble,
        signer: Signer,
        keys: KeyRing,
    ) -> None:
        """`keys` verify what `signer` signs."""
        self._new_ledger = new_ledger
        self._assemble = assemble
        self._signer = signer
        self._keys = keys

    def rig(
        self,
        policy: str,
        *,
        ledger: Callable[[BufferedLedger], Any] | None = None,
        policies: Policies | None = None,
    ) -> Rig:
        """A fresh rig under one PolicySet document. `ledger` wraps the store, `policies` replaces the policy store."""
        clock, identities, accumulator = ManualClock(), ProbeIdentities(), ContextAccumulator()
        store = self._new_ledger(accumulator, clock)
        engine = PolicyEngine(compile_policies((load(policy),)))
        pipeline = self._assemble(
            ledger(store) if ledger else store,
            policies or FixedPolicies(engine),
            identities,
            self._signer,
            accumulator,
            clock,
        )
        return Rig(
            pipeline=pipeline,
            ledger=store,
            clock=clock,
            identities=identities,
            keys=self._keys,
            tool=SpyTool(),
            accumulator=accumulator,
        )


def person(user_id: str, *roles: str) -> Caller:
    return Caller(
        workspace_id=WORKSPACE,
        principal_id=user_id,
        kind=PrincipalKind.PERSON,
        door=Door.EMBEDDED,
        user_id=user_id,
        roles=roles or ("DEVELOPER",),
        scopes=("write",),
    )


AS_AGENT = Caller(
    workspace_id=WORKSPACE,
    principal_id="key-of-agent-under-probe",
    kind=PrincipalKind.AGENT,
    door=Door.EMBEDDED,
    user_id="owner",
    agent_id=AGENT,
    scopes=("act",),
    method="agent_key",
)

REVIEWER = person("reviewer")


def expect(held: bool, otherwise: str) -> None:
    """Raises ProbeFailed unless `held`."""
    if not held:
        raise ProbeFailed(otherwise)
