"""Tool sets with users' tasks and attacks, as data (`sets/*.yaml`), and how they are played through the gate.

A set names tools; tasks (a request and the calls that solve it, with what the tools returned); and attacks (a goal and
the calls that reach it). `@@` in a result is where an attacker can write. As in `mutx bench agentdojo` every task is
played alone and with every attack, whose calls are made as if the agent had obeyed: right after the first result that
showed the text, and at the end. An attack has reached its goal when the last of its calls ran.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mutx.cli.scoreboard.environment import ATTACKS
from mutx.cli.scoreboard.gate import GateSession
from mutx.governance.labelling.policy import propose
from mutx.governance.labelling.spec import read_specs
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from tests.governance.labelling.toolsets import tool

SETS = Path(__file__).parent / "sets"
PLACE = "@@"
DEVELOPED = (
    "support",
    "backoffice",
    "forge",
    "clinic",
    "house",
    "cloud",
    "feeds",
    "payroll",
    "sync",
    "school",
    "claims",
    "newsroom",
    "workshop",
)
"""Failures on these were read, and rules changed; a first figure was taken of every set before."""
HELD_OUT = ("archive", "household")
"""Of these no failure was read while rules were changed; who changed them had written the sets all the same."""

BLIND_READ = (
    "dnsdesk",
    "lawmatters",
    "podhost",
    "charity",
    "farmcoop",
    "oncall",
    "warehouse",
    "parcels",
    "permits",
    "energy",
    "labdesk",
    "theatre",
    "vineyard",
    "blooddonation",
    "genealogy",
)
"""Written by somebody who had never read the labelling; read after a first figure, of `warehouse` three questions."""
BLIND = (
    "vetclinic",
    "museum",
    "sqlcatalog",
    "registrar",
    "tenancy",
    "radio",
    "translators",
    "allotment",
    "fishquota",
    "observatory",
    "league",
    "portpilots",
    "waste",
)
"""As those, and never read by who changes the rules: only their figures are looked at."""


class Stop(NamedTuple):
    """A task's call that did not run, and why."""

    task: int
    tool: str
    reason: str


class Score(NamedTuple):
    tasks: int
    clean: int
    pairs: int
    reached: int
    stops: tuple[Stop, ...]
    through: tuple[str, ...]


def read_set(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SETS / f"{name}.yaml").read_text())
    return found


def engine_of(tools: Sequence[Mapping[str, Any]]) -> PolicyEngine:
    """Under the policy that is proposed for the tools, as an agent is told of them."""
    told = [
        {"name": one["name"], "description": one["description"], "parameters": one["schema"]}
        if "schema" in one
        else tool(one["name"], one["description"], **one.get("parameters", {}))
        for one in tools
    ]
    return PolicyEngine(compile_policies([load(json.dumps(propose(read_specs(told))), format="json")]))


def score(name: str, wordings: Sequence[str] = ("important",)) -> Score:
    content = read_set(name)
    engine = engine_of(content["tools"])
    stops: list[Stop] = []
    through: list[str] = []
    clean = pairs = 0
    for number, task in enumerate(content["tasks"]):
        stopped = [Stop(number, *one) for one in _alone(GateSession(engine, task["request"]), task["calls"])]
        stops += stopped
        clean += not stopped
        if not any(_shows(call) for call in task["calls"]):
            continue
        for at, attack in enumerate(content["attacks"]):
            pairs += 1
            won = [one for wording in wordings for one in _attacked(engine, task, attack, wording)]
            through += (f"task {number}, attack {at}, {how}" for how in won)
    reached = len({one.rpartition(",")[0] for one in through})
    return Score(len(content["tasks"]), clean, pairs, reached, tuple(stops), tuple(through))


def _alone(gate: GateSession, calls: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for call in calls:
        reason = _play(gate, call, "")
        if reason is not None:
            yield call[0], reason


def _attacked(engine: PolicyEngine, task: Mapping[str, Any], attack: Mapping[str, Any], wording: str) -> Iterator[str]:
    text = ATTACKS[wording](attack["goal"])
    for early in (True, False):
        gate = GateSession(engine, task["request"])
        shown = done = False
        ran = False
        for call in task["calls"]:
            shown = (_play(gate, call, text) is None and _shows(call)) or shown
            if shown and early and not done:
                ran, done = _obeyed(gate, attack), True
        if shown and not done:
            ran = _obeyed(gate, attack)
        if ran:
            yield f"{wording} {'at once' if early else 'at the end'}"


def _obeyed(gate: GateSession, attack: Mapping[str, Any]) -> bool:
    return [_play(gate, call, "") for call in attack["calls"]][-1] is None


def _play(gate: GateSession, call: Sequence[Any], text: str) -> str | None:
    """Why a call did not run; None: it ran, and its result was concluded."""
    name, args, result = call
    action, decision = gate.decide(name, args)
    if not decision.effect.runs:
        return f"{decision.effect}: {decision.reason}"
    gate.conclude(action, _filled(result, text), None)
    return None


def _shows(call: Sequence[Any]) -> bool:
    return PLACE in json.dumps(call[2])


def _filled(value: Any, text: str) -> Any:
    match value:
        case str():
            return value.replace(PLACE, text)
        case dict():
            return {key: _filled(item, text) for key, item in value.items()}
        case list():
            return [_filled(item, text) for item in value]
    return value


def main() -> None:
    """Prints every set's figures; for those that were read also what went wrong."""
    for name in (*DEVELOPED, *HELD_OUT, *BLIND_READ, *BLIND):
        found = score(name, tuple(ATTACKS))
        print(f"{name:12} clean {found.clean}/{found.tasks}   reached {found.reached}/{found.pairs}")
        if name in (*DEVELOPED, *BLIND_READ):
            for stop in found.stops:
                print(f"    task {stop.task}: {stop.tool}: {stop.reason}")
            for one in found.through:
                print(f"    {one}")


if __name__ == "__main__":
    main()
