"""One of several processes on one PostgreSQL: the whole pipeline, its sweep and its outbox pump, on sessions that all share.

It tells its parent that it is `ready`, and what it was answered: `turn RECEIPT`, `approved ACTION`, `redeemed ACTION`,
`event RECEIPT` (delivered to its sink), `unavailable TEXT`, and `unknown TEXT` of a write that is not sent twice.
"""

import asyncio
import random
import signal
from collections.abc import Coroutine, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import asyncpg

from mutx.governance.context import ContextAccumulator
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Event, Outcome, OutcomeStatus, RequestStatus, Verdict
from mutx.governance.types import Caller, Door, PrincipalKind, ToolCall
from mutx.kit.clock import SystemClock
from mutx.kit.errors import AlreadyResolved, LedgerUnavailable, PermitRefused
from mutx.server.wiring import governance
from mutx.services.signing.signer import Ed25519Signer
from mutx.storage.coordination import LocalBus
from mutx.storage.outbox import OutboxPump
from mutx.storage.pg_ledger import PostgresLedger

WS = "ws-1"
SESSIONS = ("s-0", "s-1", "s-2")
PATIENCE = 60.0
SIGNER = Ed25519Signer(bytes(range(32)))
LIMIT = 6

POLICY = f"""
name: house
rules:
  - {{id: reads, match: {{tool: "read*"}}, effect: allow}}
  - {{id: scarce, match: {{tool: scarce}}, effect: allow, rate: {{per_session: {LIMIT}}}}}
  - {{id: pay, match: {{tool: pay}}, effect: step_up}}
  - {{id: soon, match: {{tool: soon}}, effect: step_up, timeout: 1}}
"""

AGENT = Caller(
    workspace_id=WS,
    principal_id="key-1",
    kind=PrincipalKind.AGENT,
    door=Door.HTTP,
    user_id="user-1",
    agent_id="agent-1",
)
PERSON = Caller(
    workspace_id=WS, principal_id="key-2", kind=PrincipalKind.PERSON, door=Door.HTTP, user_id="user-2", roles=("ADMIN",)
)


class OnePolicy:
    """`ports.Policies` that never changes."""

    def __init__(self) -> None:
        self._engine = PolicyEngine(compile_policies([load(POLICY)]))

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


class Replica:
    """The loops of one process; each ends when `stopping` is set."""

    name = "chaos"
    topics = None

    def __init__(self, ledger: PostgresLedger, tell: Connection, seed: int) -> None:
        self.stopping = asyncio.Event()
        self._ledger = ledger
        self._tell = tell
        self._chance = random.Random(seed)
        self.pump = OutboxPump(ledger, (self,), idle=0.02)
        self._pipeline: GovernancePipeline = governance(
            bus=LocalBus(),
            ledger=ledger,
            policies=OnePolicy(),
            identities=Everybody(),
            signer=SIGNER,
            accumulator=ContextAccumulator(),
            clock=SystemClock(),
        )

    async def send(self, events: Sequence[Event]) -> None:
        """The sink."""
        for event in events:
            self._say("event", event.payload.get("receipt_id", "-"))

    async def run(self) -> None:
        loops = [self._write(session) for session in SESSIONS]
        loops += [self._approve(), self._spend(), self._sweep()]
        pump = asyncio.create_task(self.pump.run())
        await asyncio.gather(*loops)
        self.pump.stop()
        pump.cancel()

    async def _write(self, session: str) -> None:
        while not self.stopping.is_set():
            tool = self._chance.choices(("read_file", "scarce", "pay", "soon"), (6, 2, 1, 1))[0]
            call = ToolCall(tool_name=tool, agent_id="agent-1", session_id=session, tool_args={"n": 1})
            answer = await self._try(self._pipeline.decide(call, AGENT))
            if answer is None:
                continue
            self._say("turn", answer.receipt_id)
            if answer.effect.runs and tool == "read_file":
                outcome = Outcome(status=OutcomeStatus.EXECUTED, result="x" * self._chance.randrange(500))
                concluded = await self._try(self._pipeline.conclude(answer.action_id, outcome, AGENT))
                if concluded is not None:
                    self._say("turn", concluded.receipt_id)

    async def _approve(self) -> None:
        """Answer questions, the same ones as every other process does at this moment."""
        while not self.stopping.is_set():
            waiting = await self._try(self._ledger.requests(WS, status=RequestStatus.PENDING, limit=3))
            for request in (waiting or ((), 0))[0]:
                if request.tool_name == "pay":
                    answer = await self._try(self._pipeline.resolve(request.id, Verdict.APPROVE, PERSON), once=True)
                    if answer is not None:
                        self._say("approved", request.action_id)
            await asyncio.sleep(0.01)

    async def _spend(self) -> None:
        """Redeem permits of released actions, the same ones as every other process."""
        while not self.stopping.is_set():
            answered = await self._try(self._ledger.requests(WS, status=RequestStatus.APPROVED, limit=3))
            for request in (answered or ((), 0))[0]:
                answer = await self._try(self._pipeline.status(request.action_id, AGENT))
                if answer is not None and answer.permit is not None:
                    spent = await self._try(self._pipeline.redeem(answer.permit, {"n": 1}, AGENT), once=True)
                    if spent is not None:
                        self._say("redeemed", request.action_id)
            await asyncio.sleep(0.01)

    async def _sweep(self) -> None:
        while not self.stopping.is_set():
            await self._try(self._pipeline.sweep(), once=True)
            await asyncio.sleep(0.05)

    async def _try(self, call: Coroutine[Any, Any, Any], *, once: bool = False) -> Any:
        """None where somebody else came first, or where the store could not answer.

        `once`: a write that is not sent again by itself, because nobody knows whether it arrived.
        """
        try:
            return await call
        except (AlreadyResolved, PermitRefused):
            return None
        except LedgerUnavailable as error:
            self._say("unknown" if once else "unavailable", str(error))
            return None

    def say_ready(self) -> None:
        """From here on it ends when it is told to."""
        self._say("ready", "")

    def _say(self, *words: str) -> None:
        self._tell.send_bytes(" ".join(words).encode())


def run(url: str, tell: Connection, seed: int) -> None:
    """Until SIGTERM, or until killed."""
    asyncio.run(_live(url, tell, seed))


async def _live(url: str, tell: Connection, seed: int) -> None:
    ledger = PostgresLedger(partial(asyncpg.connect, url), ContextAccumulator(), SystemClock(), patience=PATIENCE)
    await ledger.start()
    replica = Replica(ledger, tell, seed)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, replica.stopping.set)
    replica.say_ready()
    await replica.run()
    await ledger.stop()
