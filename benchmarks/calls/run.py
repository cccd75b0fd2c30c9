"""What an adapter adds to a tool call, measured in whichever environment runs this. tools/framework_speed.py calls it.

    python -m benchmarks.calls.run NAME FILE

Three figures in turn, round for round: the framework's bare call; the same with the adapter installed and a control plane
that answers at once; the same with the one that SUITE_URL names, which decides and records over HTTP.
"""

import asyncio
import json
import os
import statistics
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.calls import Measure, apart, here
from mutx_agent import Governor, hooks
from mutx_agent.transport.base import Json, Transport
from mutx_agent.transport.http import HttpTransport

ROUNDS = 5
COUNT, DECIDED = 200, 30
"""Calls of one round: bare and with an answer at once, and with a real decision."""
SLOW = frozenset({"claude_agent_sdk"})
"""A call takes a turn of another process."""
SLOW_COUNT = 10


class AtOnce(Transport):
    """Allows everything without a moment's thought."""

    def call(self, verb: str, body: Json) -> Json:
        return {**body, "decision": "allow", "reason": "", "permit": "p", "receipt_id": ""} if verb == "decide" else {}


def measured(name: str, governed: Callable[[], Governor]) -> dict[str, Any]:
    """Microseconds per call, each the median of the rounds; `governed`: in front of a real control plane."""
    measure: Measure = {**here.MEASURED, **apart.MEASURED}[name]
    count, decided = (SLOW_COUNT, SLOW_COUNT) if name in SLOW else (COUNT, DECIDED)
    bare, at_once, with_plane = [], [], []
    for _ in range(ROUNDS):
        bare.append(asyncio.run(measure(count)) * 1e6)
        at_once.append(_installed(name, measure, count, Governor(AtOnce(), agent_id="bench")))
        with_plane.append(_installed(name, measure, decided, governed()))
    return {
        "name": name,
        "version": version(hooks.ADAPTERS[name].distribution),
        "bare_us": round(statistics.median(bare), 1),
        "added_us": _added(at_once, bare),
        "decided_us": _added(with_plane, bare),
    }


def _installed(name: str, measure: Measure, count: int, governor: Governor) -> float:
    uninstall = hooks.install(name, governor)
    try:
        with governor.session(request="write the note"):
            return asyncio.run(measure(count)) * 1e6
    finally:
        uninstall()
        governor.close()


def _added(rounds: list[float], bare: list[float]) -> float:
    """Each round against its own bare one."""
    return round(statistics.median(one - other for one, other in zip(rounds, bare, strict=True)), 1)


def main() -> None:
    name, target = sys.argv[1:]
    url, key, agent = (os.environ[f"SUITE_{what}"] for what in ("URL", "AGENT_KEY", "AGENT_ID"))
    found = measured(name, lambda: Governor(HttpTransport(url, api_key=key), agent_id=agent))
    Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
