"""The ways between the states, and what follows from a process's end."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mutx.contract.supervision import SupervisionState as State
from mutx.kit.errors import Conflict
from mutx.services.faramesh_supervisor.config import SupervisionConfig
from mutx.services.faramesh_supervisor.states import TRANSITIONS, after_end, backoff, moved


def config(**given: Any) -> SupervisionConfig:
    return SupervisionConfig(socket_path=Path("/f"), mutx_socket=Path("/m"), **given)


def test_the_documented_ways_are_open_and_the_others_are_not() -> None:
    life = (State.STOPPED, State.STARTING, State.RUNNING, State.STOPPING, State.STOPPED)
    crash = (State.RUNNING, State.FAILED, State.RESTARTING, State.STARTING)
    too_often = (State.RESTARTING, State.FAILED)
    for before, after in (*pairwise(life), *pairwise(crash), *pairwise(too_often)):
        assert moved(before, after) is after
    assert TRANSITIONS.keys() == set(State)
    for before, after in (
        (State.STOPPED, State.RUNNING),
        (State.FAILED, State.RUNNING),
        (State.STOPPING, State.RUNNING),
    ):
        with pytest.raises(Conflict, match="cannot become"):
            moved(before, after)


def test_status_0_is_an_end_and_no_crash() -> None:
    assert after_end(0, 1.0, 2, config()).state is State.STOPPED


def test_crashes_wait_longer_each_time_and_end_at_the_limit() -> None:
    failures, waits = 0, []
    for _ in range(3):
        then = after_end(1, 1.0, failures, config(max_restarts=3, restart_delay=5.0))
        assert then.state is State.RESTARTING
        failures = then.failures
        waits.append(then.delay)
    assert waits == [5.0, 10.0, 20.0]
    last = after_end(-9, 1.0, failures, config(max_restarts=3))
    assert (last.state, last.delay) == (State.FAILED, None)


def test_whatever_ran_long_enough_begins_anew() -> None:
    then = after_end(None, 301.0, 3, config(max_restarts=3, stable_seconds=300.0))
    assert (then.state, then.failures) == (State.RESTARTING, 1)


def test_no_restart_where_none_is_wanted_and_no_wait_beyond_the_longest() -> None:
    assert after_end(1, 1.0, 0, config(auto_restart=False)).state is State.FAILED
    assert backoff(1000, config(max_restart_delay=60.0)) == 60.0
