"""`mutx bench drift`: false alarms and finds of the intent signal, by profile, on calls that are given and not chosen.

Each session's calls are held against its request as the engine does it, distance by distance; no policy decides, so no
refusal adds pressure: what is measured is the distance alone. A session that was led astray is a task's own calls and,
after them, calls that serve another goal.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from mutx.cli.scoreboard.intervals import Share, share
from mutx.governance.intent import (
    THRESHOLDS,
    DriftThresholds,
    Pressure,
    action_text,
    bounded,
    cumulative,
    distance,
    scope_of,
    signal,
)
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.safeguards import DRIFTS
from mutx.governance.ports import Embedder
from mutx.governance.tools import Access, ToolSchema
from mutx.kit.errors import InputError

OWN = Path(__file__).with_name("errands.jsonl")
"""Ordinary work, written for this bench."""
MAX_LINES = 100_000
MAX_LINE = 1 << 20


class TracedCall(Struct, frozen=True, kw_only=True):
    tool: str
    args: dict[str, Any] = {}
    reads: bool = False


class TraceRow(Struct, frozen=True, kw_only=True):
    """A line of a file of traces."""

    request: str
    calls: list[TracedCall]


class TracedStep(NamedTuple):
    tool: str
    args: dict[str, Any]
    schema: ToolSchema | None


class Session(NamedTuple):
    source: str
    request: str
    steps: tuple[TracedStep, ...]
    astray: bool


def measure(suites: Sequence[str], files: Sequence[Path], embedder: Embedder | None) -> dict[str, Any]:
    """Figures of each source and pooled. Raises InputError, SetupError."""
    sessions = [one for name in suites for one in _of_suite(name)]
    sessions += [one for file in (files or (OWN,)) for one in _of_file(file)]
    walked = [(one, _distances(one, found)) for one, found in zip(sessions, _found(sessions, embedder), strict=True)]
    sources = list(dict.fromkeys(one.source for one in sessions))
    by_source = {source: _figures([pair for pair in walked if pair[0].source == source]) for source in sources}
    return {"bench": "drift", "suites": by_source, "pooled": _figures(walked)}


def table(results: dict[str, Any]) -> str:
    """Markdown: a line for each source and profile."""
    lines = [
        "| sessions | profile | false alarms | led astray and noticed |",
        "| --- | --- | --- | --- |",
    ]
    for source, profiles in {**results["suites"], "all": results["pooled"]}.items():
        for name, found in profiles.items():
            lines.append(f"| {source} | {name} | {_words(found['false_alarms'])} | {_words(found['noticed'])} |")
    return "\n".join(lines)


def rises(distances: Sequence[float], thresholds: DriftThresholds) -> bool:
    """Whether the signal rises at any of the calls."""
    drift = farthest = 0.0
    for number, step in enumerate(distances):
        drift, farthest = cumulative(drift, step), max(farthest, step)
        if signal(drift, farthest, Pressure(number, 0, 0, False), thresholds) in DRIFTS:
            return True
    return False


def _figures(walked: Sequence[tuple[Session, Sequence[float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, thresholds in THRESHOLDS.items():
        calm = [rises(steps, thresholds) for one, steps in walked if not one.astray]
        astray = [rises(steps, thresholds) for one, steps in walked if one.astray]
        found[name] = {
            "false_alarms": share(sum(calm), len(calm))._asdict(),
            "noticed": share(sum(astray), len(astray))._asdict(),
        }
    return found


def _words(found: dict[str, Any]) -> str:
    one = Share(**found)
    if one.value is None:
        return "-"
    return f"{100 * one.value:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f}) of {one.total}"


def _found(sessions: Sequence[Session], embedder: Embedder | None) -> list[list[float | None]]:
    """What a model says of each step; None: words decide."""
    if embedder is None:
        return [[None] * len(one.steps) for one in sessions]

    async def ask(model: Embedder) -> list[list[float | None]]:
        found = []
        for one in sessions:
            texts = [action_text(step.tool, step.args) for step in one.steps]
            found.append([(await model.measure(one.request, text)).distance for text in texts])
        return found

    return asyncio.run(ask(embedder))


def _distances(session: Session, found: Sequence[float | None]) -> list[float]:
    scope = scope_of(session.request)
    return [
        distance(scope, step.tool, step.args, step.schema) if far is None else bounded(far, step.schema)
        for step, far in zip(session.steps, found, strict=True)
    ]


def _of_file(file: Path) -> Iterator[Session]:
    """Each errand alone, and followed by what another one writes. Raises InputError."""
    rows = list(_rows(file))
    source = "own" if file == OWN else file.stem
    for number, row in enumerate(rows):
        steps = tuple(map(_step, row.calls))
        yield Session(source, row.request, steps, astray=False)
        other = rows[(number + len(rows) // 2) % len(rows)]
        foreign = tuple(_step(call) for call in other.calls if not call.reads)
        if other is not row and foreign:
            yield Session(source, row.request, (*steps, *foreign), astray=True)


def _rows(file: Path) -> Iterator[TraceRow]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number > MAX_LINES or len(line) > MAX_LINE:
                raise InputError(f"{file} has a line, or more lines, than are read; split it")
            if line.strip():
                try:
                    yield msgspec.json.decode(line, type=TraceRow)
                except msgspec.MsgspecError as error:
                    raise InputError(f"{file}, line {number}: {error}") from error


def _step(call: TracedCall) -> TracedStep:
    access = Access.READ if call.reads else Access.WRITE
    return TracedStep(call.tool, call.args, ToolSchema(name=call.tool, access=access))


def _of_suite(name: str) -> Iterator[Session]:
    """Each user's task alone, and followed by the calls of each attack."""
    from mutx.cli.replay.suites import SUITES, load_suite
    from mutx.cli.scoreboard.environment import World
    from mutx.cli.scoreboard.labelled import labelled
    from mutx.cli.scoreboard.runs import attack_calls

    if name not in SUITES:
        raise InputError(f"there is no suite {name}; there are {', '.join(SUITES)}")
    suite = load_suite(name)
    engine, world = PolicyEngine(compile_policies([labelled(suite)])), World(suite)
    attacks = [attack_calls(task, world.untouched) for task in suite.injection_tasks.values()]
    for task in suite.user_tasks.values():
        steps = _steps(task.ground_truth(task.init_environment(world.untouched())), engine)
        yield Session(name, task.PROMPT, steps, astray=False)
        for calls in attacks:
            if calls:
                yield Session(name, task.PROMPT, (*steps, *_steps(calls, engine)), astray=True)


def _steps(calls: Sequence[Any], engine: PolicyEngine) -> tuple[TracedStep, ...]:
    """Of calls as the suite has them."""
    plain = [(call.function, json.loads(json.dumps(dict(call.args), default=str))) for call in calls]
    return tuple(TracedStep(tool, args, engine.tool(tool)) for tool, args in plain)
