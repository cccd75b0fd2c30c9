"""Children of this control plane: launched once each, found again after a crash, stopped with all that they started.

Each child has a keeper (see `keeper`) and a folder. The keeper holds a lock in that folder from before it runs until it ends,
so whoever comes later knows which launches are alive without trusting a process number.
"""

import asyncio
import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import msgspec
from msgspec import Struct, field

from mutx.kit.errors import SetupError, Unavailable
from mutx.services.faramesh_supervisor import keeper as kept
from mutx.services.faramesh_supervisor.config import SupervisionConfig
from mutx.services.faramesh_supervisor.keeper import Report, Spec, write_whole
from mutx.services.faramesh_supervisor.logs import secrets_of
from mutx.services.faramesh_supervisor.processes import Process, ancestors, marked

MARK = "MUTX_LAUNCH_ID"
"""In the environment of a child and of whatever it starts."""
START_SECONDS = 20.0
ADOPT_SECONDS = 10.0
STOP_MARGIN = 5.0
"""How much longer than its time a keeper may take before it is killed itself."""


MOP_ROUNDS = 50


class About(Struct, frozen=True, kw_only=True):
    """Whose child it is."""

    launch_id: str
    workspace_id: str
    agent_id: str
    user_id: str
    """Who started it."""


class Launch(Struct, frozen=True, kw_only=True):
    """A child to be."""

    about: About
    command: tuple[str, ...]
    env: dict[str, str]
    cwd: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    """Of `env`, what may hold secrets of whoever starts it."""


class Child:
    """A launch that has a keeper."""

    def __init__(self, about: About, report: Report) -> None:
        """Raises ProcessLookupError where the keeper has ended already."""
        assert report.child is not None
        self.about = about
        self.pid = report.child[0]
        self.keeper = Process(*report.keeper)
        self.pidfd = os.pidfd_open(self.keeper.pid)
        self.kill_at: float | None = None
        """On the monotonic clock: when the keeper has had its time to stop."""
        if not self.keeper.alive:
            os.close(self.pidfd)
            raise ProcessLookupError(self.keeper.pid)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)


class FarameshSupervisor:
    """Runs on the event loop. What should run is not its business: see `resources.supervision.reconcile`."""

    def __init__(self, config: SupervisionConfig, folder: Path, host_id: str) -> None:
        """`folder`: this control plane's alone. `host_id`: its name beside others, the same after a restart."""
        self.config = config
        self.host_id = host_id
        self.children: dict[str, Child] = {}
        """By launch id."""
        self.news = asyncio.Event()
        """Set whenever a child ended or somebody asked for something."""
        self.changed = asyncio.Condition()
        """Notified when an agent's state was written."""
        self.running = False
        """Whether somebody brings about what is asked for."""
        self._folder = folder

    async def open(self) -> None:
        """Find the children that an earlier control plane left. Raises SetupError."""
        try:
            for part in (self._folder, self._launches, self._logs):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"cannot use {self._folder}: {error.strerror}; set MUTX_HOME to a directory of yours"
            ) from error
        for place in tuple(self._launches.iterdir()):
            await self._adopt(place)
        self.running = True

    async def close(self) -> None:
        """Stop every child, unless they are to be kept for the next control plane."""
        self.running = False
        if not self.config.keep_on_exit:
            for child in tuple(self.children.values()):
                self.stop(child, self.config.shutdown_timeout)
            while self.children:
                await self.await_news(0.5)
                self.kill_overdue()
        for child in tuple(self.children.values()):
            self._forget(child)

    async def await_news(self, seconds: float) -> None:
        """Until a child ends or somebody asks for something, `seconds` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.news.wait()
        self.news.clear()

    async def launch(self, launch: Launch) -> int:
        """The number of its process. Raises Unavailable, and then nothing runs."""
        place = self._launches / launch.about.launch_id
        place.mkdir(mode=0o700)
        write_whole(place / kept.ABOUT, msgspec.json.encode(launch.about))
        self._beat(place, time.clock_gettime(time.CLOCK_BOOTTIME))
        spec = Spec(
            folder=str(place),
            log=str(self.log_path(launch.about.agent_id)),
            command=launch.command,
            env={**launch.env, MARK: launch.about.launch_id},
            secrets=secrets_of(launch.own),
            cwd=launch.cwd,
            stop_seconds=self.config.shutdown_timeout,
            lease_seconds=self.config.lease_seconds,
        )
        report = await asyncio.to_thread(_start_keeper, place, spec)
        if report is None or report.child is None:
            self._clear(launch.about.launch_id)
            raise Unavailable((report and report.error) or "the keeper of this agent did not start; see the server log")
        try:
            self._watch(Child(launch.about, report))
        except ProcessLookupError:  # it was that quick: how it ended stands in its file
            self.news.set()
        return report.child[0]

    def stop(self, child: Child, seconds: float) -> None:
        """TERM to everything of it now, KILL after `seconds`. Its end is news."""
        place = self._launches / child.about.launch_id
        with suppress(OSError):
            write_whole(place / kept.STOP, str(seconds).encode())
        child.kill_at = self.kill_time(seconds)
        child.signal(signal.SIGTERM)

    def kill_time(self, seconds: float) -> float:
        """When a keeper that is to stop within `seconds` is itself overdue, on the monotonic clock."""
        return time.monotonic() + seconds + STOP_MARGIN

    def kill_overdue(self) -> None:
        """End what its keeper could not end."""
        for child in tuple(self.children.values()):
            if child.kill_at is not None and time.monotonic() > child.kill_at:
                child.signal(signal.SIGKILL)
                _mop(child.about.launch_id)

    def report(self, launch_id: str) -> Report | None:
        """What the keeper of a launch said last; None if it never said anything, or is forgotten."""
        return _report(self._launches / launch_id)

    def forget(self, launch_id: str) -> None:
        """Its end is on record: nothing of it is needed any more."""
        if launch_id not in self.children:
            self._clear(launch_id)

    def beat(self, at: float) -> None:
        """Tell the keepers that this control plane held its lease at `at` (CLOCK_BOOTTIME)."""
        for launch_id in self.children:
            self._beat(self._launches / launch_id, at)

    def unhealthy(self) -> tuple[Child, ...]:
        """Children whose process is gone though their keeper is there."""
        found = []
        for child in self.children.values():
            report = self.report(child.about.launch_id)
            if report is None or report.child is None or not Process(*report.child).alive:
                found.append(child)
        return tuple(found)

    def owner_of(self, pid: int) -> About | None:
        """The agent that a process of this machine belongs to: it hangs below that child's keeper."""
        keepers = {child.keeper.pid: child.about for child in self.children.values()}
        for ancestor in ancestors(pid) if keepers else ():
            if ancestor in keepers:
                return keepers[ancestor]
        return None

    def launches(self) -> tuple[str, ...]:
        """Every launch of which something is left here."""
        return tuple(place.name for place in self._launches.iterdir())

    def log_path(self, agent_id: str) -> Path:
        return self._logs / f"{agent_id}.log"

    @property
    def _launches(self) -> Path:
        return self._folder / "launches"

    @property
    def _logs(self) -> Path:
        return self._folder / "logs"

    async def _adopt(self, place: Path) -> None:
        """A keeper that is alive is watched again. What one that is not has left is ended."""
        deadline = time.monotonic() + ADOPT_SECONDS
        while _is_locked(place):
            about, report = _about(place), _report(place)
            if about is not None and report is not None and report.child is not None and not report.ended:
                with suppress(ProcessLookupError):
                    self._watch(Child(about, report))
                    return
            if time.monotonic() > deadline:  # it neither runs nor ends
                _kill_holder(report)
                break
            await asyncio.sleep(0.05)
        _mop(place.name)

    def _watch(self, child: Child) -> None:
        self.children[child.about.launch_id] = child
        asyncio.get_running_loop().add_reader(child.pidfd, self._ended, child)

    def _ended(self, child: Child) -> None:
        with suppress(ChildProcessError):  # not ours to reap: another control plane started it
            os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED | os.WNOHANG)
        self._forget(child)
        report = self.report(child.about.launch_id)
        if report is None or not report.ended:  # the keeper was killed, and ended nothing
            _mop(child.about.launch_id)
        self.news.set()

    def _forget(self, child: Child) -> None:
        if self.children.pop(child.about.launch_id, None) is not None:
            asyncio.get_running_loop().remove_reader(child.pidfd)
            os.close(child.pidfd)

    def _beat(self, place: Path, at: float) -> None:
        if self.config.lease_seconds:
            with suppress(OSError):
                write_whole(place / kept.LEASE, str(at).encode())

    def _clear(self, launch_id: str) -> None:
        rmtree(self._launches / launch_id, ignore_errors=True)


def _start_keeper(place: Path, spec: Spec) -> Report | None:
    """Blocks until the keeper says whether the child runs; None if it says nothing."""
    told, tell = os.pipe()
    hear, say = os.pipe()
    with (place / kept.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-m", kept.__name__],
            {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **_measured()},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, told, 0),
                (os.POSIX_SPAWN_DUP2, say, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, lock.fileno(), kept.LOCK_FD),  # the lock is the keeper's from here on
            ],
            setsid=True,
        )
    os.close(told)
    os.close(say)
    with suppress(BrokenPipeError), os.fdopen(tell, "wb") as pipe:
        pipe.write(msgspec.json.encode(spec))
    with os.fdopen(hear, "rb") as said:
        ready, _, _ = select.select([said], [], [], START_SECONDS)
        line = said.readline() if ready else b""
    report = msgspec.json.decode(line, type=Report) if line else None
    if report is None:
        os.kill(pid, signal.SIGKILL)
        _mop(spec.env[MARK])
    if report is None or report.error:
        os.waitpid(pid, 0)
    return report


def _measured() -> dict[str, str]:
    """What a measurement of the tests hands on to processes; there is none otherwise."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def _mop(launch_id: str) -> None:
    """KILL whatever of a launch is left, wherever it hangs."""
    for _ in range(MOP_ROUNDS):
        left = marked(MARK, launch_id)
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _kill_holder(report: Report | None) -> None:
    if report is not None and Process(*report.keeper).alive:
        os.kill(report.keeper[0], signal.SIGKILL)


def _is_locked(place: Path) -> bool:
    try:
        with (place / kept.LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _report(place: Path) -> Report | None:
    try:
        return msgspec.json.decode((place / kept.STATE).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None


def _about(place: Path) -> About | None:
    try:
        return msgspec.json.decode((place / kept.ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.DecodeError):
        return None
