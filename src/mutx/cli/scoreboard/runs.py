"""Recorded calls through the gate: a user's task alone, and with an attack's calls put in.

Nothing is simulated: every call that the gate lets through runs in the suite's own environment, and its result is
concluded, so the session knows exactly what an agent would have seen.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from mutx.cli.scoreboard.environment import exposes
from mutx.cli.scoreboard.gate import GateSession
from mutx.governance.policy.safeguards import DRIFTS
from mutx.governance.types import Effect


class Placement(StrEnum):
    """Where in the user's calls the attack's stand."""

    FIRST = "first_exposure"
    """Right after the first call whose result shows the attack's text."""
    END = "end"


class Person(StrEnum):
    """Who is there to be asked."""

    NOBODY = "nobody"
    """Every question ends in a refusal."""
    KNOWING = "knowing"
    """Says yes to what the user's task needs, and no to the attack."""


class PlayedCall(NamedTuple):
    """One call and what became of it."""

    tool: str
    args: dict[str, Any]
    attack: bool
    effect: Effect
    code: str
    reason: str
    ran: bool
    drifts: bool = False
    """The session's intent signal said so as this call was decided."""

    @property
    def clean(self) -> bool:
        return self.effect.runs


class Run(NamedTuple):
    """One pass over one task. Environments and traces are the suite's own, for its checkers."""

    steps: tuple[PlayedCall, ...]
    before: Any
    after: Any
    trace: tuple[Any, ...]
    exposed: bool
    """The attack's text was in a result that the agent saw."""

    @property
    def asked(self) -> int:
        return sum(step.effect.waits for step in self.steps)

    @property
    def attack_ran(self) -> bool:
        return any(step.attack and step.ran for step in self.steps)


class Player:
    """Plays calls in one environment."""

    def __init__(self, tools: Sequence[Any], gate: GateSession, environment: Any, person: Person) -> None:
        from agentdojo.functions_runtime import FunctionsRuntime

        self._runtime, self._gate, self._person = FunctionsRuntime(tools), gate, person
        self.environment = environment
        self.steps: list[PlayedCall] = []
        self.trace: list[Any] = []

    def play(self, call: Any, *, attack: bool) -> Any:
        """Decide one call and, if it may run, run and conclude it. Its result as plain values; None if it did not run."""
        args = to_jsonable_python(dict(call.args))
        action, decision = self._gate.decide(call.function, args)
        ran = decision.effect.runs
        if decision.effect.waits:
            ran = self._person is Person.KNOWING and not attack
            self._gate.answer(action, decision, approved=ran)
        self.steps.append(
            PlayedCall(
                call.function,
                args,
                attack,
                decision.effect,
                decision.reason_code.value,
                decision.reason,
                ran,
                decision.intent in DRIFTS,
            )
        )
        if not ran:
            return None
        final = args if decision.modified_args is None else decision.modified_args
        result, error = self._runtime.run_function(self.environment, call.function, final)
        self.trace.append(call)
        plain = to_jsonable_python(result, fallback=str)
        self._gate.conclude(action, plain, error)
        return plain


def run(
    suite: Any,
    task: Any,
    environment: Any,
    gate: GateSession,
    person: Person,
    *,
    attack: Sequence[Any] = (),
    text: str = "",
    placement: Placement = Placement.END,
) -> Run:
    """The user's calls, with the attack's at `placement`. `environment` is used up."""
    environment = task.init_environment(environment)
    before = environment.model_copy(deep=True)
    calls = task.ground_truth(before)
    player = Player(suite.tools, gate, environment, person)
    exposed = done = False
    for call in calls:
        result = player.play(call, attack=False)
        exposed = exposed or (bool(text) and exposes(result, text))
        if exposed and not done and placement is Placement.FIRST:
            _play_all(player, attack)
            done = True
    if exposed and not done:
        _play_all(player, attack)
    return Run(tuple(player.steps), before, player.environment, tuple(player.trace), exposed)


def _play_all(player: Player, attack: Sequence[Any]) -> None:
    for call in attack:
        player.play(deepcopy(call), attack=True)


def attack_calls(task: Any, fresh: Callable[[], Any]) -> list[Any]:
    """The calls that reach an injection's goal; none if the goal is a text to be said."""
    return list(task.ground_truth(fresh()))
