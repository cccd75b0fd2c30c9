"""The person at the control plane. Everything a person does here is a `mutx` command in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from mutx.kit.errors import SetupError


class Ran(NamedTuple):
    """A finished command."""

    status: int
    output: str
    problem: str
    """What it wrote to standard error."""


class Operator:
    """Runs commands with the environment of one control plane."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def attempt(self, *words: str) -> Ran:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", "mutx", *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str) -> str:
        """Its output. Raises SetupError with what it said if it failed."""
        done = self.attempt(*words)
        if done.status != 0:
            raise SetupError(f"`mutx {' '.join(words)}` failed ({done.status}): {done.problem or done.output}")
        return done.output

    def ask(self, *words: str) -> Any:
        """Its answer as JSON values."""
        return json.loads(self.run(*words, "--json"))
