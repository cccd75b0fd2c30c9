"""What a receipt costs: by its place in the session, and its canonical form against the reference library."""

import asyncio
import random
import time
from typing import Any

import msgspec
import rfc8785

from benchmarks import rules
from benchmarks.harness import Plan, Result, ratio, result, sweep
from benchmarks.world import CALLER, World
from mutx.governance.chain import genesis
from mutx.governance.judge import judge
from mutx.governance.receipts import ReceiptGenerator, open_receipt
from mutx.governance.turn import Receipt, TurnKind
from mutx.governance.types import Decision, Facts, NormalizedAction
from mutx.kit.canonical import canonical
from mutx.kit.ids import new_id

LENGTH = 1000
AT_ONCE = 10
"""Receipts measured at either end of a session."""
SESSIONS = 20


def run(plan: Plan) -> list[Result]:
    return [_by_position(plan), _canonical(plan)]


class Chain:
    """One session's receipts, sealed one after another as `Recorder` does it: receipt, context, head."""

    def __init__(self, world: World, session: str) -> None:
        self._world = world
        self._state = asyncio.run(world.state(session))
        self._state.head = genesis(CALLER.workspace_id, session)
        self._receipts = ReceiptGenerator(world.signer)
        self._call = next(call for call in rules.requests(session))

    def extend(self, count: int) -> float:
        """Add so many receipts; the CPU seconds that each took."""
        ready = [self._decided() for _ in range(count)]
        started = time.process_time()
        for action, decision in ready:
            self.seal(action, decision, self._world.facts(self._state))
        return (time.process_time() - started) / count

    def _decided(self) -> tuple[NormalizedAction, Decision]:
        world, facts = self._world, self._world.facts(self._state)
        action = world.mediator.normalize(self._call, CALLER, tools=world.engine.tool, id=new_id(), now=facts.now)
        observed = world.gather.observe(self._state, action, world.engine, self._call)
        return action, judge(world.engine, observed, facts, world.counter)

    def seal(self, action: NormalizedAction, decision: Decision, facts: Facts) -> Receipt:
        state, accumulator = self._state, self._world.accumulator
        receipt, _ = self._receipts.seal(
            kind=TurnKind.DECISION,
            id=new_id(),
            workspace_id=CALLER.workspace_id,
            session_id=action.session_id,
            seq=state.seq + 1,
            prev=state.head,
            at=facts.now,
            caller=CALLER,
            action=action,
            facts=facts,
            decision=decision,
        )
        observed = self._world.gather.observe(state, action, self._world.engine, self._call)
        accumulator.apply(state.context, accumulator.decided(state.context, action, observed, decision, facts.now))
        state.head, state.seq = receipt.hash, state.seq + 1
        return receipt

    def one(self) -> Receipt:
        return self.seal(*self._decided(), self._world.facts(self._state))


def _by_position(plan: Plan) -> Result:
    world = World(rules.engine(rules.mixed(100)))
    runs = [_last_over_first(world, round_number, plan) for round_number in range(plan.rounds)]
    return result("receipt_1000_over_1", runs, "x", "CPU of a session's first 10 receipts", 1.2)


def _last_over_first(world: World, round_number: int, plan: Plan) -> float:
    """Sessions in step with one another; the first receipts of later ones are sealed between the last of earlier ones."""
    between = plan.count(LENGTH, least=3 * AT_ONCE) - 2 * AT_ONCE
    first = last = 0.0
    for number in range(plan.count(SESSIONS)):
        chain = Chain(world, f"s-{round_number}-{number}")
        first += chain.extend(AT_ONCE)
        chain.extend(between)
        last += chain.extend(AT_ONCE)
    return last / first


def _canonical(plan: Plan) -> Result:
    """The body of a real receipt. That both write the same bytes is asserted over made-up values as well."""
    body = open_receipt(Chain(World(rules.engine(rules.mixed(100))), "s").one().envelope)
    for value in [body, *_values(plan.count(3000))]:
        if canonical(value) != rfc8785.dumps(value):
            raise AssertionError(f"not the same bytes for {value!r}")
    return ratio(
        "canonical_over_rfc8785",
        plan,
        sweep(canonical, [(body,)] * plan.count(500)),
        sweep(rfc8785.dumps, [(body,)] * plan.count(500)),
        against=f"rfc8785.dumps of a receipt's body ({len(msgspec.json.encode(body))} bytes), identical bytes",
        gate=10,
        inverse=True,
    )


def _values(count: int) -> list[Any]:
    chance = random.Random(2)
    return [_value(chance, 0) for _ in range(count)]


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(7 if depth < 4 else 5)
    if kind == 5:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    if kind == 6:
        return {_text(chance): _value(chance, depth + 1) for _ in range(chance.randrange(5))}
    numbers = (chance.randrange(-(2**53) + 1, 2**53), chance.uniform(-1e3, 1e3), 10.0 ** chance.randrange(-30, 30))
    return (_text(chance), chance.choice((None, True, False)), *numbers)[kind]


def _text(chance: random.Random) -> str:
    return "".join(chance.choice('ab"\\\n\x01\u00e9\u20ac\U0001f600\ue000') for _ in range(chance.randrange(8)))
