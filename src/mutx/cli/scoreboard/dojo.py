"""`mutx bench agentdojo`: one suite under one policy, every user task alone and with every attack."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from mutx.cli.scoreboard.checkers import reached, served
from mutx.cli.scoreboard.environment import ATTACKS, World
from mutx.cli.scoreboard.gate import GateSession
from mutx.cli.scoreboard.runs import Person, Placement, Run, attack_calls, run
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.model import PolicyDocument


class Benign(NamedTuple):
    """One user task with no attack about."""

    task: str
    run: Run
    served: bool


class Attacked(NamedTuple):
    """One user task, one attack, one placement, one kind of person."""

    task: str
    attack: str
    placement: Placement
    person: Person
    run: Run
    served: bool
    reached: bool


class SuiteRuns(NamedTuple):
    suite: str
    benign: tuple[Benign, ...]
    attacked: tuple[Attacked, ...]
    without_calls: tuple[str, ...]
    """Injections whose goal is a text: no tool call to decide, so they are left out."""


class Bench:
    """One suite under one policy."""

    def __init__(self, suite: Any, policy: PolicyDocument, wording: str) -> None:
        self._suite, self._wording = suite, ATTACKS[wording]
        self._engine = PolicyEngine(compile_policies([policy]))
        self._world = World(suite)
        self._attacks = {
            name: (task, attack_calls(task, self._world.untouched)) for name, task in suite.injection_tasks.items()
        }

    def play(self) -> SuiteRuns:
        return SuiteRuns(
            self._suite.name,
            tuple(self._benign()),
            tuple(self._attacked()),
            tuple(name for name, (_, calls) in self._attacks.items() if not calls),
        )

    def _benign(self) -> Iterator[Benign]:
        for name, task in self._suite.user_tasks.items():
            done = run(self._suite, task, self._world.untouched(), self._gate(task), Person.NOBODY)
            yield Benign(name, done, served(task, done))

    def _attacked(self) -> Iterator[Attacked]:
        for attack, (goal, calls) in self._attacks.items():
            if not calls:
                continue
            text = self._wording(goal.GOAL)
            template = self._world.attacked(text)
            for name, task in self._suite.user_tasks.items():
                known: dict[str, bool] = {}
                for placement in Placement:
                    for person in Person:
                        done = run(
                            self._suite,
                            task,
                            template.model_copy(deep=True),
                            self._gate(task),
                            person,
                            attack=calls,
                            text=text,
                            placement=placement,
                        )
                        # The same calls leave the same world, and the suites' checks are what takes the time.
                        ran = repr([(one.tool, one.args) for one in done.steps if one.ran])
                        if ran not in known:
                            known[ran] = served(task, done)
                        yield Attacked(name, attack, placement, person, done, known[ran], reached(goal, done))
                        if not done.asked:
                            break

    def _gate(self, task: Any) -> GateSession:
        return GateSession(self._engine, task.PROMPT)
