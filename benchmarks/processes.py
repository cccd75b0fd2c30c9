"""Server processes pinned to one core, their CPU time, and load from another core."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load import Job

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
SETTLED = 0.06
"""Share of a core below which a server counts as idle; one that is looks at its own jobs for about 0.03."""
SETTLING = 10.0
"""Seconds that are waited for that: longer, and what a server does without requests would count as theirs."""
LONGEST = 120.0
"""Seconds until a start, or a load, counts as failed."""

PATIENCE = 15.0
"""Seconds of a load in which something has to be answered, however busy the machine is."""

WRK = shutil.which("wrk")
CLIENT = "wrk" if WRK else "an asyncio client on raw sockets"


@dataclass(frozen=True)
class Load:
    """What one load came to."""

    per_second: float
    cpu: float
    """CPU seconds of the server per request, what it still had to do afterwards included."""


@dataclass(frozen=True)
class Server:
    """A running process that listens on `port` of this machine."""

    process: subprocess.Popen[bytes]
    port: int

    def under(self, job: Job) -> Load:
        """For longer than asked where nothing was answered in that time. Raises RuntimeError if any request failed."""
        before = self._cpu()
        done = wrk(job) if WRK and not job.socket and job.depth == 1 else own(job)
        if done["failed"] or (not done["requests"] and job.seconds > PATIENCE):
            raise RuntimeError(f"{done['failed']:.0f} of {done['requests']:.0f} requests failed")
        if not done["requests"]:
            return self.under(replace(job, seconds=4 * job.seconds))
        self._settle()
        return Load(done["requests"] / done["seconds"], (self._cpu() - before) / done["requests"])

    def _settle(self) -> None:
        """Wait until the work that requests left behind is done."""
        deadline = time.perf_counter() + SETTLING
        while time.perf_counter() < deadline:
            before = self._cpu()
            time.sleep(0.5)
            if self._cpu() - before < SETTLED * 0.5:
                return

    def _cpu(self) -> float:
        """CPU seconds of all its threads; Linux numbers a process's clock by its id (clock_getcpuclockid)."""
        return time.clock_gettime(~self.process.pid << 3 | 2)


@contextmanager
def server(*arguments: str, port: int, path: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`python ARGUMENTS`, from when anything answers at `path` until the end of the block."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, *arguments], env={**os.environ, **(environment or {})}, stdout=said, stderr=said
        )
        try:
            os.sched_setaffinity(process.pid, {SERVER_CORE})
            deadline = time.perf_counter() + LONGEST
            while not _answers(port, path):
                if process.poll() is not None or time.perf_counter() > deadline:
                    said.seek(0)
                    raise RuntimeError(f"{arguments} did not start: {said.read()[-2000:].decode(errors='replace')}")
                time.sleep(0.05)
            yield Server(process, port)
        finally:
            process.terminate()
            try:
                process.wait(LONGEST)
            finally:
                process.kill()


def _answers(port: int, path: str) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def own(job: Job) -> dict[str, float]:
    """The load of `benchmarks.load`."""
    done: dict[str, float] = json.loads(_on_client_core([sys.executable, "-m", "benchmarks.load"], job.encode()))
    return done


def wrk(job: Job) -> dict[str, float]:
    """The same load by wrk: its script sends the same requests in turn."""
    requests = ",".join(json.dumps(text).replace("\\u", "\\\\u") for text in job.requests)
    script = f"""
local all, next = {{{requests}}}, 0
request = function() next = next % #all + 1; return all[next] end
done = function(summary)
  local bad = summary.errors
  local failed = bad.connect + bad.read + bad.write + bad.status + bad.timeout
  io.write(string.format('{{"requests": %d, "seconds": %f, "failed": %d}}', summary.requests, summary.duration / 1e6, failed))
end
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text(script)
        words = [
            str(WRK),
            "-t1",
            f"-c{job.connections}",
            f"-d{max(1, round(job.seconds))}s",
            "--timeout",
            "30s",
            "-s",
            str(path),
        ]
        text = _on_client_core([*words, f"http://127.0.0.1:{job.port}"], b"")
    done: dict[str, float] = json.loads(text[text.rindex("{") :])
    return done


def _on_client_core(words: list[str], given: bytes) -> str:
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own words
    try:
        os.sched_setaffinity(process.pid, {CLIENT_CORE})
        answer, _ = process.communicate(given, LONGEST)
    finally:
        process.kill()
    if process.returncode:
        raise RuntimeError(f"the load ended with exit status {process.returncode}")
    return answer.decode()
