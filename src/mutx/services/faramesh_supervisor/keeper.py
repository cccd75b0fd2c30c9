"""The process between the control plane and a child: `python -m mutx.services.faramesh_supervisor.keeper`.

It outlives a control plane that is killed, so that the next one finds the child as it was: it drains the child's output,
knows how the child ended, and ends with it. It takes what to run from standard input, says in one line on standard output
whether it runs, and writes the same to a file. TERM asks it to stop the child: the child's whole group gets TERM, and KILL
when the time is up. Whatever a child leaves behind falls to this process (PR_SET_CHILD_SUBREAPER), also what has made itself a
daemon, and is ended before it ends itself. Should it be killed, the kernel kills the child (PR_SET_PDEATHSIG).
"""

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from mutx.kit.clock import SystemClock
from mutx.services.faramesh_supervisor.logs import RedactedLog
from mutx.services.faramesh_supervisor.processes import descendants, process

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
CHUNK = 65_536
AFTER_END_SECONDS = 2.0
"""What a child that has ended left behind gets so long after its TERM."""
BEAT = 0.5
KILL_BEAT = 0.05

STATE, STOP, LEASE, LOCK, ABOUT = "state.json", "stop.json", "lease", "lock", "about.json"
"""Files of one launch: what the keeper says; how long a stop may take; the latest sign of the control plane; held while
a keeper lives; what is launched."""


LOCK_FD = 3


class Spec(Struct, frozen=True, kw_only=True):
    """What the control plane sends. It stays in memory: environments hold secrets."""

    folder: str
    log: str
    command: tuple[str, ...]
    env: dict[str, str]
    secrets: tuple[str, ...] = ()
    cwd: str | None = None
    stop_seconds: float = 10.0
    lease_seconds: float = 0.0


class Report(Struct, frozen=True, kw_only=True):
    """What the keeper knows, in its file."""

    keeper: tuple[int, int]
    """Number and start, as `processes.Process`."""
    child: tuple[int, int] | None = None
    error: str = ""
    """Why nothing runs."""
    ended: bool = False
    exit_code: int | None = None
    reason: str = ""
    """Why it was stopped, if it was: `stop`, `lease`."""
    killed: bool = False
    """Whether it took KILL."""


class Keeper:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._folder = Path(spec.folder)
        me = process(os.getpid())
        assert me is not None
        self._report = Report(keeper=(me.pid, me.started))
        self._log = RedactedLog(Path(spec.log), spec.secrets, SystemClock())
        self._selector = selectors.DefaultSelector()
        self._open = 0
        """Streams that may still say something."""
        self._pid = 0
        self._asked = False
        self._deadline: float | None = None
        """Set from TERM on: then KILL."""

    def run(self) -> None:
        """Until the child and everything it started has ended."""
        self._listen()
        try:
            self._spawn()
        except OSError as error:
            self._say(error=f"cannot start {self._spec.command[0]}: {error.strerror}")
            return
        self._say(child=self._identity())
        while not self._over():
            self._turn()
        self._drain()
        self._log.close()
        self._say(ended=True)

    def _listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the selector by the pipe below
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ)

    def _ask(self, *_: Any) -> None:
        self._asked = True

    def _spawn(self) -> None:
        child = subprocess.Popen(  # noqa: S603 - what the control plane checked
            self._spec.command,
            env=self._spec.env,
            cwd=self._spec.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_dies_with(_prctl(), os.getpid()),  # noqa: PLW1509 - this process has one thread
        )
        self._pid = child.pid
        for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, name)
            self._open += 1

    def _identity(self) -> tuple[int, int]:
        child = process(self._pid)  # there, if only as a zombie: nobody has reaped it yet
        assert child is not None
        return (child.pid, child.started)

    def _over(self) -> bool:
        return self._report.exit_code is not None and not descendants(os.getpid())

    def _turn(self) -> None:
        ending = self._deadline is not None
        self._hear(KILL_BEAT if ending else BEAT)
        self._log.pause()
        self._reap()
        if self._asked:
            self._asked = False
            self._end("stop", _seconds(self._folder / STOP, self._spec.stop_seconds))
        elif not ending and self._report.exit_code is not None:
            self._end("", AFTER_END_SECONDS)
        elif not ending and self._is_alone():
            self._end("lease", self._spec.stop_seconds)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._signal(signal.SIGKILL)

    def _hear(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(key.fd, CHUNK)
            else:
                self._read(key)

    def _read(self, key: selectors.SelectorKey) -> bool:
        try:
            data = os.read(key.fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(key.fileobj)
            self._open -= 1
            return False
        self._log.feed(key.data, data)
        return True

    def _drain(self) -> None:
        """What is in the pipes still; nobody is left who could write more."""
        for key in [key for key in self._selector.get_map().values() if key.data is not None]:
            while self._read(key):
                pass

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._report = msgspec.structs.replace(self._report, exit_code=os.waitstatus_to_exitcode(status))

    def _end(self, reason: str, seconds: float) -> None:
        """TERM to all of it, KILL after `seconds`; no TERM where it has no time."""
        deadline = time.monotonic() + seconds
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
        if reason and self._report.exit_code is None:
            self._report = msgspec.structs.replace(self._report, reason=reason)
            self._log.say("stopping" if reason == "stop" else "stopping: the control plane was not heard of")
        self._signal(signal.SIGTERM if seconds > 0 else signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """To the child's group, and to whatever has left it."""
        if number is signal.SIGKILL:
            self._report = msgspec.structs.replace(self._report, killed=True)
        if self._report.exit_code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                if self._report.exit_code is not None or os.getpgid(pid) != self._pid:
                    os.kill(pid, number)

    def _is_alone(self) -> bool:
        """Whether the control plane has been silent for longer than another one may wait."""
        if not self._spec.lease_seconds:
            return False
        heard = _seconds(self._folder / LEASE, 0.0)
        return time.clock_gettime(time.CLOCK_BOOTTIME) - heard > self._spec.lease_seconds

    def _say(self, **changes: Any) -> None:
        """To the file, whole or not at all; the first time also to whoever started this."""
        self._report = msgspec.structs.replace(self._report, **changes)
        text = msgspec.json.encode(self._report)
        write_whole(self._folder / STATE, text)
        with suppress(OSError):  # nobody listens any more
            os.write(sys.stdout.fileno(), text + b"\n")


def write_whole(path: Path, text: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(text)
    new.replace(path)


def _seconds(path: Path, otherwise: float) -> float:
    try:
        return float(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return otherwise


def _prctl() -> Callable[[int, int], Any]:
    """Loaded before a fork: nothing may be loaded after one."""
    prctl: Callable[[int, int], Any] = ctypes.CDLL(None, use_errno=True).prctl
    return prctl


def _dies_with(prctl: Callable[[int, int], Any], parent: int) -> Callable[[], None]:
    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it could be asked for
            os._exit(1)

    return prepare


def main() -> None:
    """The program."""
    text = sys.stdin.buffer.read()
    if not text:
        return  # the control plane was killed before it could say what to run
    os.closerange(LOCK_FD + 1, os.sysconf("SC_OPEN_MAX"))  # whatever a library of the control plane left open
    os.set_inheritable(LOCK_FD, False)
    _prctl()(PR_SET_CHILD_SUBREAPER, 1)
    Keeper(msgspec.json.decode(text, type=Spec)).run()


if __name__ == "__main__":
    main()
