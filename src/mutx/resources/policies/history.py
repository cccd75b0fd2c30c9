"""Policies and what was recorded: the backtest of a changed policy, and a proposal mined from history."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from mutx.contract.policies import (
    BacktestChange,
    BacktestExample,
    BacktestRequest,
    BacktestResult,
    MinedPolicy,
    MineRequest,
)
from mutx.governance.backtest import Backtest, Change
from mutx.governance.mining import Miner, is_held_out
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Turn
from mutx.governance.types import Caller, Effect
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import InputError
from mutx.resources.policies.compiling import build, format_of, read_document
from mutx.resources.policies.service import PolicyStore
from mutx.storage.views import LedgerStore

PAGE = 200
MAX_SESSIONS = 200_000
MAX_PER_SESSION = 100_000
"""Turns of one session that are looked at."""


class PolicyHistory:
    """Reads the caller's workspace; writes nothing."""

    def __init__(self, ledger: LedgerStore, store: PolicyStore, clock: Clock, caller: Caller) -> None:
        self._ledger, self._store, self._clock, self._caller = ledger, store, clock, caller

    async def backtest(self, body: BacktestRequest) -> BacktestResult:
        """The policies in force, with the document in the place of the one of its name."""
        since = self._clock.now() - body.since_seconds
        engine = await self._engine(body.document, body.name)
        test = Backtest(engine, since)
        async for session_id in self._sessions(since, body.agent_id):
            await self._walk(session_id, test.session)
        return _result(test, engine.version, since)

    async def mine(self, body: MineRequest) -> MinedPolicy:
        since = self._clock.now() - body.since_seconds
        miner = Miner()
        held_out = []
        async for session_id in self._sessions(since, body.agent_id):
            if is_held_out(session_id):
                held_out.append(session_id)
            else:
                await self._walk(session_id, miner.session)
        if not miner.calls:
            raise InputError(_nothing_learned(len(held_out)))
        proposed = miner.propose(body.name)
        engine = build([load(json.dumps(proposed), format="json")])
        blocked_sessions = sessions = calls = blocked = 0
        refused = miner.refused
        for session_id in held_out:
            test = Backtest(engine, since)
            await self._walk(session_id, test.session)
            allowed = {pair: count for pair, count in test.effects.items() if pair[0].runs}
            stopped = sum(count for (_, after), count in allowed.items() if not after.runs)
            if any(before is Effect.DENY for before, _ in test.effects):
                refused += 1
                continue
            if not allowed:
                continue
            sessions += 1
            calls += sum(allowed.values())
            blocked += stopped
            blocked_sessions += stopped > 0
        return MinedPolicy(
            document=json.dumps(proposed, ensure_ascii=False),
            sessions=miner.sessions,
            calls=miner.calls,
            refused_sessions=refused,
            held_out_sessions=sessions,
            held_out_calls=calls,
            blocked_sessions=blocked_sessions,
            blocked_calls=blocked,
        )

    async def _engine(self, document: str, name: str | None) -> PolicyEngine:
        policy = await asyncio.to_thread(load, document, format=format_of(document), name=name or "fpl")
        others = [one for one in await self._store.enabled() if one.name != policy.name]
        return await asyncio.to_thread(
            lambda: build([*(read_document(one.name, one.kind, one.document) for one in others), policy])
        )

    async def _sessions(self, since: float, agent_id: str | None) -> AsyncIterator[str]:
        """Those with a turn since then, each once, newest first."""
        seen: set[str] = set()
        skip = 0
        while True:
            page, _ = await self._ledger.sessions(self._caller.workspace_id, agent_id=agent_id, skip=skip, limit=PAGE)
            for entry in page:
                if entry.updated_at >= since and entry.session_id not in seen:
                    seen.add(entry.session_id)
                    yield entry.session_id
            skip += PAGE
            if len(page) < PAGE or len(seen) >= MAX_SESSIONS:
                return

    async def _walk(self, session_id: str, visit: Callable[[Iterable[Turn]], Any]) -> None:
        """Read in pages, judge in a thread: other requests go on meanwhile."""
        turns: list[Turn] = []
        async for turn in self._ledger.export(self._caller.workspace_id, session_id):
            turns.append(turn)
            if len(turns) >= MAX_PER_SESSION:
                break
        await asyncio.to_thread(visit, turns)


def _result(test: Backtest, version: str, since: float) -> BacktestResult:
    changes = sorted(test.changes.items(), key=lambda one: (-one[1], repr(one[0])))
    return BacktestResult(
        policy_version=version,
        since=to_datetime(since),
        sessions=test.sessions,
        turns=test.turns,
        decisions=test.decisions,
        erased=test.erased,
        changed=test.changed,
        stricter=test.stricter,
        now={
            effect.value: sum(count for (_, after), count in test.effects.items() if after is effect)
            for effect in Effect
        },
        changes=[_change(change, count) for change, count in changes],
        examples=[
            BacktestExample(
                session_id=one.session_id,
                action_id=one.action_id,
                at=to_datetime(one.at),
                change=_change(one.change, 1),
                reason=one.reason,
            )
            for one in test.examples
        ],
    )


def _change(change: Change, count: int) -> BacktestChange:
    return BacktestChange(
        agent_id=change.agent_id,
        tool=change.tool_name,
        before=change.before.value,
        after=change.after.value,
        rule=change.rule,
        count=count,
    )


def _nothing_learned(held_out: int) -> str:
    are = "session of it is" if held_out == 1 else "sessions of it are"
    kept = f"; {held_out} {are} kept to measure on" if held_out else ""
    return f"there are no allowed calls in that time to learn from{kept}: look further back with `since`, or try later"
