"""From suite names to results."""

import contextlib
import io
from typing import Any

from mutx.cli.replay.suites import SUITES, VERSION, load_suite
from mutx.cli.scoreboard.dojo import Bench, SuiteRuns
from mutx.cli.scoreboard.labelled import labelled
from mutx.cli.scoreboard.tally import by_attack, examples, figures, table
from mutx.governance.policy.model import PolicyDocument
from mutx.kit.errors import InputError


def score(names: tuple[str, ...], policy: PolicyDocument | None, wording: str) -> tuple[dict[str, Any], str]:
    """Results of all suites and pooled, and their table. Deterministic: no seed, no clock, no model."""
    for name in names:
        if name not in SUITES:
            raise InputError(f"there is no suite {name}; there are {', '.join(SUITES)}")
    played = [_play(name, policy, wording) for name in names]
    suites = {
        runs.suite: figures([runs])
        | {"by_attack": by_attack(runs), "without_calls": list(runs.without_calls), "examples": examples(runs)}
        for runs in played
    }
    pooled = figures(played)
    results = {
        "bench": "agentdojo",
        "version": VERSION,
        "wording": wording,
        "seed": None,
        "pooled": pooled,
        "suites": suites,
    }
    return results, table(suites | {"pooled": pooled})


def _play(name: str, policy: PolicyDocument | None, wording: str) -> SuiteRuns:
    suite = load_suite(name)
    # The suites' checkers print.
    with contextlib.redirect_stdout(io.StringIO()):
        return Bench(suite, policy or labelled(suite), wording).play()
