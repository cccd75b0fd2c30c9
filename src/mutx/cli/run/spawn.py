"""The program as a process: forked before the launcher has threads, held until it may run, followed to its end."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from mutx.kit.errors import SetupError
from mutx_agent.launch import kernel
from mutx_agent.launch.shim import Plan, become

T = TypeVar("T")

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
WATCHED = frozenset({*FORWARDED, signal.SIGCHLD})
FROM_KERNEL = 0x80
"""`si_code` of a signal that the terminal sent; it went to the whole foreground group, the program included."""
REPORT_LIMIT = 64 * 1024
GRACE = 5.0
"""Seconds that left-over processes have between SIGTERM and SIGKILL."""


class Confined(NamedTuple):
    """What the child says of itself before it becomes the program."""

    layers: list[tuple[str, str, str]]
    listener: socket.socket | None
    """The gateway's socket in the child's own network."""


class Interrupted(Exception):
    """A signal ended the launcher's work before the program was started."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by signal {number}")
        self.status = 128 + number


def interruptible(work: Callable[[], T]) -> T:
    """The result of `work`, which may wait for people. Raises what it raised, or Interrupted.

    It runs in a thread, because signals are blocked: they are waited for here, as they are while the program runs.
    """
    done: Future[T] = Future()
    waiting = threading.main_thread().ident
    assert waiting is not None

    def perform() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001
            done.set_exception(error)
        signal.pthread_kill(waiting, signal.SIGCHLD)

    threading.Thread(target=perform, name="mutx-run-opening", daemon=True).start()
    while not done.done():
        number = signal.sigwaitinfo(WATCHED).si_signo
        if number in ENDING:
            raise Interrupted(number)
    return done.result()


class HeldProgram:
    """A child that has confined itself and waits. `release` makes it the program, `drop` ends it unrun."""

    def __init__(self, pid: int, channel: socket.socket, confined: Confined) -> None:
        self.pid = pid
        self.confined = confined
        self._channel = channel
        self._released = self._ended = False

    def release(self, environment: dict[str, str]) -> None:
        self._released = True
        with suppress(BrokenPipeError):  # ended by a signal while it was held: `wait` says by which
            self._channel.sendall(json.dumps(environment).encode() + b"\n")
        self._channel.close()

    def drop(self) -> None:
        """End it: unrun if it was never released, and whatever it is doing otherwise."""
        self._channel.close()
        if self._ended:
            return
        if self._released:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._ended = True

    def wait(self) -> int:
        """Forward signals until the program ends; its exit status, 128 + n where signal n ended it."""
        while True:
            ended = self._reap()
            if ended is not None:
                return ended
            news = signal.sigwaitinfo(WATCHED)
            if news.si_signo != signal.SIGCHLD and news.si_code != FROM_KERNEL:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, news.si_signo)

    def _reap(self) -> int | None:
        """Collect whoever has ended, orphans of the program included; the program's status if it is among them."""
        status = None
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return status
            if pid == 0:
                return status
            if pid == self.pid:
                status = exit_status(code)
                self._ended = True


def exit_status(code: int) -> int:
    """Of `waitpid`, as shells give it."""
    status = os.waitstatus_to_exitcode(code)
    return status if status >= 0 else 128 - status


def hold(command: list[str], plan: Plan) -> HeldProgram:
    """Fork. Call it before anything starts a thread. Raises SetupError if the child cannot confine itself at all."""
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    launcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        try:
            become(command, plan, theirs, launcher)
        finally:
            # Only an error leads here, and what must not happen is that the child goes on as a second launcher.
            sys.stderr.write(f"mutx run: the program was not started: {sys.exc_info()[1]}\n")
            os._exit(125)
    theirs.close()
    data, places, _, _ = socket.recv_fds(ours, REPORT_LIMIT, 1)
    if not data.endswith(b"\n"):
        os.waitpid(pid, 0)
        raise SetupError("the program was not started, because its process could not confine itself")
    told: dict[str, Any] = json.loads(data)
    listener = socket.socket(fileno=places[0]) if places else None
    return HeldProgram(pid, ours, Confined([(one[0], one[1], one[2]) for one in told["layers"]], listener))


def protect_launcher() -> None:
    """Keep the launcher's memory from other processes of its user, and make orphans of the program its children.

    Signals are only waited for from here on; threads inherit that.
    """
    libc = kernel.Libc()
    libc.prctl(kernel.PR_SET_DUMPABLE, 0)
    libc.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)


def end_leftovers() -> int:
    """End what the program left running: nothing decides for it any more. How many there were."""
    ended: set[int] = set()
    deadline = time.monotonic() + GRACE
    while found := children_of(os.getpid()):
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for pid in found:
            if pid not in ended or number is signal.SIGKILL:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                ended.add(pid)
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    return len(ended)


def children_of(pid: int) -> list[int]:
    """Direct children; those of children become ours when these end."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text("ascii").split())
    return found
