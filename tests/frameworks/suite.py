"""The stories that every adapter has to pass, inside the real framework, with a scripted model and a real control plane.

A case is a way in (the framework's official hook, the installed interception, both), a path through the framework and a
decision. Whether a tool ran is read from the files it writes.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from mutx_agent import Governor
from mutx_agent.hooks import ADAPTERS
from mutx_agent.ids import new_id
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.plane import DEADLINE, Plane
from tests.frameworks.world import World

TEXTS = {"allow": "fine", "deny": "forbidden", "modify": "secret-a1", "step_up": "asked", "down": "fine"}
"""The text by which the suite's policy decides."""
WAYS = ("hook", "install", "both")
THREADS = 3


class Case(NamedTuple):
    way: str
    path: str
    decision: str

    def __str__(self) -> str:
        return f"{self.way}-{self.path}-{self.decision}"


def _scenario(path: str, text: str) -> Scenario:
    put = Call("put", {"key": "a", "text": text})
    one = [[put]]
    return {
        "sync": Scenario(path, one, mode="sync"),
        "async": Scenario(path, one, coroutines=True),
        "async, sync tool": Scenario(path, one),
        "streaming": Scenario(path, one, mode="stream"),
        "parallel": Scenario(path, [[_fine("x"), put, _fine("y")]], coroutines=True),
        "nested": Scenario(path, [[Call("relay", put.args)]], nested=True),
        "handoff": Scenario(path, one, handoff=True),
        "threads": Scenario(path, one, mode="sync"),
        "retry": Scenario(path, one, flaky=True),
    }[path]


def _fine(key: str) -> Call:
    return Call("put", {"key": key, "text": "fine"})


PATHS = ("sync", "async", "async, sync tool", "streaming", "parallel", "nested", "handoff", "threads", "retry")


def why_absent(driver: Driver, way: str, path: str) -> str | None:
    """The reason why there is nothing to test here."""
    if way != "install" and not driver.hook:
        return "the framework has no hook before a tool runs"
    ways = ("hook", "install") if way == "both" else (way,)
    return driver.absent.get(path) or next(
        (driver.absent[f"{one}:{path}"] for one in ways if f"{one}:{path}" in driver.absent), None
    )


def cases(driver: Driver) -> Iterator[Case]:
    """Every case that this framework has. Both ways at once: only that a call is then decided once."""
    for way in WAYS:
        for path in PATHS:
            if why_absent(driver, way, path) is None:
                decisions = ("allow", "deny") if way == "both" else TEXTS
                yield from (Case(way, path, decision) for decision in decisions)


def play(driver: Driver, case: Case, plane: Plane, folder: Path) -> None:
    """One case. Raises AssertionError with what did not hold."""
    scenario = _scenario(case.path, TEXTS[case.decision])
    world = World(folder, flaky=scenario.flaky and case.decision != "deny")
    runs = THREADS if case.path == "threads" else 1
    session_id = f"suite-{new_id()}"
    governor = Governor(url="http://127.0.0.1:9") if case.decision == "down" else plane.governor()
    asked = runs * (2 if scenario.flaky else 1) if case.decision == "step_up" else 0
    session = governor.session(request="write the note", session_id=session_id)
    with approving(plane, session_id, asked, world) as trouble, _installed(driver, case, governor), session:
        told = _run(driver, scenario, world, governor if case.way != "install" else None, runs)
    governor.close()
    assert not trouble, trouble[0]
    _judge_effects(case, scenario, world, runs)
    _judge_answers(case, driver, told)
    if case.decision != "down":
        _judge_receipts(case, driver, scenario, plane, session_id, runs)


@contextmanager
def _installed(driver: Driver, case: Case, governor: Governor) -> Iterator[None]:
    if case.way == "hook":
        yield
        return
    uninstall = import_module(ADAPTERS[driver.name].module).install(governor)
    try:
        yield
    finally:
        uninstall()


def _run(driver: Driver, scenario: Scenario, world: World, governor: Governor | None, runs: int) -> list[str]:
    def once() -> list[str]:
        if scenario.mode == "sync":
            return driver.run(scenario, world, governor)
        return asyncio.run(asyncio.wait_for(driver.arun(scenario, world, governor), DEADLINE))

    if runs == 1:
        return once()
    with ThreadPoolExecutor(runs) as pool:
        return [text for future in [pool.submit(once) for _ in range(runs)] for text in future.result(DEADLINE)]


@contextmanager
def approving(plane: Plane, session_id: str, count: int, world: World) -> Iterator[list[BaseException]]:
    """A person who says yes to `count` calls of this session, and sees that nothing was written before."""
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            for answered in range(count):
                (request, *_) = plane.wait_for_requests(session_id, 1)
                ran = [text for _, text in world.written()].count("asked")
                assert ran <= answered, f"{ran} calls ran when {answered} had been approved"
                plane.approve(request)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=work, daemon=True)
    if count:
        thread.start()
    yield trouble
    if count:
        thread.join(DEADLINE)


def _judge_effects(case: Case, scenario: Scenario, world: World, runs: int) -> None:
    """Exactly what was allowed is on the disk, with the arguments that were allowed."""
    calls = [call for turn in scenario.turns for call in turn] * runs
    texts = {"forbidden": None, "secret-a1": "gone"}
    wanted = [(call.args["key"], texts.get(call.args["text"], call.args["text"])) for call in calls]
    expected = [] if case.decision == "down" else sorted((key, text) for key, text in wanted if text is not None)
    assert world.written() == expected, f"written: {world.written()}, allowed: {expected}"
    attempts = len(expected) + (1 if scenario.flaky and expected else 0)
    assert world.attempts == attempts, f"the tool ran {world.attempts} times, not {attempts}"


def _judge_answers(case: Case, driver: Driver, told: list[str]) -> None:
    """The model hears the result, or why there is none; and no exception has ended the run."""
    expected = {"deny": "the suite forbids it", "down": "cannot be reached"}.get(case.decision, "wrote a")
    assert any(expected in text for text in told), f"the model was told {told}, not {expected!r}"


def _judge_receipts(case: Case, driver: Driver, scenario: Scenario, plane: Plane, session_id: str, runs: int) -> None:
    """Each run of a tool was decided once, under its own name, and its result is in the receipts."""
    receipts = plane.receipts(session_id)
    names = {receipt["tool_name"] for receipt in receipts}
    known = {driver.tool} | ({driver.relay} if scenario.nested else set()) | driver.handoff_tools
    assert names <= known, f"tools in the receipts: {names}"
    decided = {r["action_id"] for r in receipts if r["kind"] == "decision" and r["tool_name"] == driver.tool}
    calls = runs * sum(len(turn) for turn in scenario.turns)
    again = 1 if scenario.flaky else 0
    wanted = range(calls, calls + again + 1) if case.decision == "deny" else [calls + again]
    assert len(decided) in wanted, f"{len(decided)} decisions on put, not {list(wanted)}"
    outcomes = [r for r in receipts if r["kind"] == "outcome" and r["tool_name"] == driver.tool]
    results = [r for r in outcomes if driver.result in str(r["result"])]
    refused = 1 if case.decision == "deny" else 0
    assert len(results) == calls - refused * runs, (
        f"{len(results)} results concluded: {[r['result'] for r in outcomes]}"
    )
    if scenario.nested:
        (relay,) = {r["action_id"] for r in receipts if r["tool_name"] == driver.relay}
        parents = {plane.action(r).get("parent") for r in receipts if r["tool_name"] == driver.tool}
        assert parents == {relay}, f"the inner call's parent is {parents}, not {relay}"
