"""A pipeline on a memory ledger, with a clock in the hand, people, an agent and a policy that a story writes."""

from collections.abc import Iterable
from textwrap import dedent
from typing import Any

from msgspec.structs import replace

from mutx.governance.answer import Answer
from mutx.governance.approvals import ApprovalService
from mutx.governance.context import ContextAccumulator
from mutx.governance.gather import Gatherer
from mutx.governance.mediator import ActionMediator
from mutx.governance.permits import Permits
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.recorder import Recorder
from mutx.governance.release import Releases
from mutx.governance.replay import recompute
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import Outcome, OutcomeStatus, Turn, Verdict
from mutx.governance.types import Caller, Door, PrincipalKind, ToolCall
from mutx.kit.clock import ManualClock
from mutx.services.signing import EphemeralSigner
from mutx.storage.memory import MemoryLedger

WORKSPACE = "ws-1"


class TestPolicies:
    """The policies port over texts; every version ever installed can be had again."""

    __test__ = False

    def __init__(self) -> None:
        self.versions: dict[str, PolicyEngine] = {}
        self._current: dict[str, PolicyEngine] = {}

    def install(self, *texts: str, workspace_id: str = WORKSPACE) -> PolicyEngine:
        engine = PolicyEngine(compile_policies([load(dedent(text)) for text in texts]))
        self.versions[engine.version] = self._current[workspace_id] = engine
        return engine

    def current(self, workspace_id: str) -> PolicyEngine | None:
        return self._current.get(workspace_id)

    async def load(self, workspace_id: str) -> PolicyEngine:
        return self._current[workspace_id]


class TestIdentities:
    """The identities port: a caller stays what it was until a story revokes or changes it."""

    __test__ = False

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.changed: dict[str, Caller] = {}
        self.own_approvals = True

    async def current(self, caller: Caller) -> Caller | None:
        if caller.principal_id in self.revoked:
            return None
        return self.changed.get(caller.principal_id, caller)

    async def may_approve_own(self, workspace_id: str) -> bool:
        return self.own_approvals


def person(name: str, *, roles: Iterable[str] = ("DEVELOPER",), workspace_id: str = WORKSPACE) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        principal_id=name,
        kind=PrincipalKind.PERSON,
        door=Door.HTTP,
        user_id=name,
        roles=tuple(roles),
        scopes=("write",),
        email=f"{name}@example.com",
    )


def agent(name: str = "bot", *, user: str = "ana", workspace_id: str = WORKSPACE) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        principal_id=f"key-of-{name}",
        kind=PrincipalKind.AGENT,
        door=Door.HTTP,
        user_id=user,
        agent_id=name,
        scopes=("act",),
        method="agent_key",
    )


ANA = person("ana")
BEN = person("ben")
BOT = agent()


class World:
    """Everything around one pipeline."""

    def __init__(self, *policies: str) -> None:
        self.clock = ManualClock()
        self.accumulator = ContextAccumulator()
        self.ledger = MemoryLedger(self.accumulator, self.clock)
        self.policies = TestPolicies()
        self.identities = TestIdentities()
        self.signer = EphemeralSigner()
        self.told: list[Turn] = []
        if policies:
            self.policies.install(*policies)
        self.pipeline = self._pipeline()

    def _pipeline(self) -> GovernancePipeline:
        gather = Gatherer(self.ledger, self.policies, self.accumulator, self.clock)
        approvals, telemetry = ApprovalService(), TelemetryExporter()
        permits = Permits(b"k" * 32)
        recorder = Recorder(self.ledger, ReceiptGenerator(self.signer), self.accumulator, telemetry, self.told.append)
        releases = Releases(
            gather=gather,
            approvals=approvals,
            identities=self.identities,
            permits=permits,
            recorder=recorder,
            telemetry=telemetry,
            told=lambda _: None,
        )
        return GovernancePipeline(
            gather=gather,
            mediator=ActionMediator(),
            approvals=approvals,
            permits=permits,
            recorder=recorder,
            releases=releases,
        )

    def restart(self) -> None:
        """A new process on the same ledger: nothing that the pipeline kept in memory survives."""
        self.pipeline = self._pipeline()

    async def decide(self, tool: str, caller: Caller = BOT, *, ask: bool = False, **args: Any) -> Answer:
        return await self.pipeline.decide(call(tool, **args), caller, ask=ask)

    async def run(self, tool: str, result: Any = "done", caller: Caller = BOT, **args: Any) -> Answer:
        """Decide, and conclude with `result`."""
        answer = await self.decide(tool, caller, **args)
        assert answer.effect.runs, answer
        await self.conclude(answer, result, caller)
        return answer

    async def conclude(self, answer: Answer, result: Any = "done", caller: Caller = BOT) -> None:
        outcome = Outcome(status=OutcomeStatus.EXECUTED, result=result)
        await self.pipeline.conclude(answer.action_id, outcome, caller)

    async def approve(self, answer: Answer, by: Caller = ANA, **more: Any) -> Answer:
        return await self.resolve(answer, Verdict.APPROVE, by, **more)

    async def resolve(self, answer: Answer, verdict: Verdict, by: Caller = ANA, **more: Any) -> Answer:
        assert answer.request is not None, answer
        return await self.pipeline.resolve(answer.request.id, verdict, by, **more)

    async def turns(self, session_id: str = "s") -> list[Turn]:
        return list(await self.ledger.turns(WORKSPACE, session_id, limit=10_000))

    async def recomputed(self, session_id: str = "s") -> None:
        """Every stored decision follows from its stored facts."""
        turns = await self.turns(session_id)
        assert recompute(turns, ContextAccumulator(), self.policies.versions.__getitem__) == []


def call(tool: str, *, session: str = "s", agent_id: str = "bot", **args: Any) -> ToolCall:
    """Names with a leading underscore set fields of the call itself."""
    fields = {name[1:]: args.pop(name) for name in list(args) if name.startswith("_")}
    made = ToolCall(tool_name=tool, agent_id=agent_id, session_id=session, tool_args=args)
    return replace(made, **fields) if fields else made
