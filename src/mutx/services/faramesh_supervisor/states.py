"""How a supervised agent goes from state to state, as values: nothing here starts or stops anything.

STOPPED    -> STARTING    somebody starts it
STARTING   -> RUNNING     its process was spawned
RUNNING    -> STOPPING    somebody stops it, or asks for a restart
STOPPING   -> STOPPED     its processes have ended
RUNNING    -> STOPPED     it ended by itself, with status 0
RUNNING    -> FAILED      it crashed
FAILED     -> RESTARTING  it will be started again, after a while
RESTARTING -> STARTING    the while is over
RESTARTING -> FAILED      it crashed too often; FAILED is final then, until somebody starts it
"""

from collections.abc import Mapping

from msgspec import Struct

from mutx.contract.supervision import SupervisionState as State
from mutx.kit.errors import Conflict
from mutx.services.faramesh_supervisor.config import SupervisionConfig

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.STOPPED: frozenset({State.STARTING}),
    State.STARTING: frozenset({State.RUNNING, State.STOPPING, State.STOPPED, State.FAILED}),
    State.RUNNING: frozenset({State.STOPPING, State.STOPPED, State.FAILED}),
    State.STOPPING: frozenset({State.STOPPED, State.STARTING}),
    State.FAILED: frozenset({State.RESTARTING, State.STARTING, State.STOPPED}),
    State.RESTARTING: frozenset({State.STARTING, State.STOPPED, State.FAILED}),
}

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
"""States in which there may be a process."""

MAX_EXPONENT = 16


def moved(before: State, after: State) -> State:
    """`after`. Raises Conflict where no way leads there."""
    if after not in TRANSITIONS[before]:
        raise Conflict(f"an agent that is {before} cannot become {after}; look at its status and try again")
    return after


class Aftermath(Struct, frozen=True):
    """What follows from the end of a process."""

    state: State
    failures: int
    """Crashes in a row."""
    delay: float | None = None
    """Seconds until it is started again; None: it is not."""


def after_end(exit_code: int | None, ran: float, failures: int, config: SupervisionConfig) -> Aftermath:
    """`exit_code` as Python has it (below 0: the signal; None: nobody saw). `ran`: seconds. `failures`: those before it."""
    if exit_code == 0:
        return Aftermath(State.STOPPED, 0)
    failures = 1 if ran >= config.stable_seconds else failures + 1
    if not config.auto_restart or failures > config.max_restarts:
        return Aftermath(State.FAILED, failures)
    return Aftermath(State.RESTARTING, failures, backoff(failures, config))


def backoff(failures: int, config: SupervisionConfig) -> float:
    """Seconds before the next start: the delay, doubled with each crash in a row, up to the longest."""
    return min(config.restart_delay * 2.0 ** min(failures - 1, MAX_EXPONENT), config.max_restart_delay)
