"""A program that knows nothing of MUTX, governed: what it may do, what it may not, and what the receipts say."""

import base64
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from mutx.cli.run.environment import SUPERVISORS_MARK
from mutx.contract.security import ReceiptView
from mutx.sdk import MutxClient
from mutx.services.faramesh_supervisor.supervisor import MARK
from tests.cli.run.conftest import PYTHON, Launch, Script, enforcement

GOVERNED = """
from mutx_agent import govern

@govern
def greet(name): return f"hi {name}"

@govern
def wipe(name): open("wiped", "w").close()

print(greet("bob"))
try:
    wipe("all")
except Exception as error:
    print(error.reason_code)
"""


def test_a_program_is_governed_and_the_receipts_tell_the_run(
    launch: Launch, script: Script, folder: Path, operator: MutxClient
) -> None:
    words = ("--session", "the-session", "--request", "greet bob", "--report", "report.json")
    done = launch(*words, "--", PYTHON, script(GOVERNED))
    assert done.stdout == "hi bob\ndefault\n"
    assert not (folder / "wiped").exists()
    assert "mutx run: tool calls: 1 allow, 1 deny" in done.stderr
    receipts = operator.security.session_receipts("the-session").receipts
    first, last = receipts[0], receipts[-1]
    assert first.tool_name == last.tool_name == "mutx.run"
    assert first.tool_args is not None
    assert first.tool_args["enforcement"]["layers"] == enforcement(folder)
    assert {one.tool_name for one in receipts[1:-1]} == {"greet", "wipe"}
    assert '"exit_status": 0' in json.dumps(last.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), 128 + 15),
        (("sh", "-c", "kill -KILL $$"), 128 + 9),
        (("no-such-command",), 127),
        (("./report.txt",), 126),
        ((PYTHON, "-I", "-c", "pass"), 125),
        (("env", PYTHON, "-S", "-c", "pass"), 125),
        (("sh", "-c", f"exec {PYTHON} -E x.py"), 125),
    ],
)
def test_exit_statuses(launch: Launch, folder: Path, command: tuple[str, ...], status: int) -> None:
    (folder / "report.txt").write_text("no program")
    launch("--quiet", "--", *command, exits=status)


def test_input_and_output_are_the_programs_own(launch: Launch) -> None:
    done = launch("--quiet", "--", "sh", "-c", "cat; echo oops >&2", input="through\n")
    assert done.stdout == "through\n"
    assert "oops" in done.stderr


def test_a_run_that_the_policy_denies_does_not_start(launch: Launch, script: Script, folder: Path) -> None:
    name = script("open('started', 'w').close()")
    os.rename(folder / name, folder / "forbidden.py")
    done = launch("--", PYTHON, "forbidden.py", exits=125)
    assert "add one: {id: run, match: {tool: mutx.run}, effect: allow}" in done.stderr
    assert not (folder / "started").exists()


def test_a_start_that_the_policy_changes_is_none(launch: Launch, script: Script, folder: Path) -> None:
    name = script("open('started', 'w').close()")
    os.rename(folder / name, folder / "changed.py")
    assert "cannot be carried out" in launch("--", PYTHON, "changed.py", exits=125).stderr
    assert not (folder / "started").exists()


def test_what_is_left_open_is_left_alone(launch: Launch) -> None:
    done = launch("--quiet", "--no-egress", "--no-sandbox", "--", "sh", "-c", "env | grep -ci _proxy=", exits=1)
    assert done.stdout == "0\n"
    assert "--no-egress does without it" in launch("--no-egress", "--egress-inspect", "--", "true", exits=125).stderr


def test_signals_reach_the_program(environment: dict[str, str], folder: Path, script: Script) -> None:
    name = script(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print('heard', flush=True))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.05)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "mutx", "run", "--quiet", "--", PYTHON, name],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    with run:
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGUSR1)
        assert run.stdout.readline() == "heard\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_a_person_is_asked_nothing_runs_and_the_run_can_be_given_up(
    environment: dict[str, str], folder: Path, operator: MutxClient, number: int
) -> None:
    (folder / "asked.py").write_text("open('started', 'w').close()\n")
    known = {request.id for request in operator.approvals.list().items}
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "mutx", "run", "--quiet", "--", PYTHON, "asked.py"], env=environment, cwd=folder
    )
    deadline = time.monotonic() + 60
    while not {request.id for request in operator.approvals.list().items} - known:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.send_signal(number)
    assert run.wait(60) == 128 + number
    assert not (folder / "started").exists()


def test_a_supervisor_finds_the_program_and_its_children_by_its_mark(launch: Launch, script: Script) -> None:
    """Also a child that is started with an environment of its own."""
    name = script(
        "import os, subprocess, sys\n"
        "show = 'import os; print(os.environ[\"MUTX_LAUNCH_ID\"])'\n"
        "exec(show, {})\n"
        "sys.stdout.flush()\n"
        "subprocess.run([sys.executable, '-c', show], env={'PATH': os.environ['PATH']}, check=True)\n"
    )
    assert launch("--", PYTHON, name, env={SUPERVISORS_MARK: "l-7"}).stdout == "l-7\nl-7\n"
    assert SUPERVISORS_MARK == MARK


def test_what_is_left_behind_is_ended(launch: Launch) -> None:
    done = launch("--", "sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!")
    assert "1 processes that the program left behind were ended" in done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def runtime_of(receipt: ReceiptView) -> str:
    """It stands in what was signed."""
    payload = json.loads(base64.b64decode(receipt.envelope["payload"]))
    return str(payload["action"]["runtime"])


class TestChildren:
    def test_children_are_governed_in_the_same_session(
        self, launch: Launch, script: Script, operator: MutxClient
    ) -> None:
        script(GOVERNED.replace("bob", "child"), "child.py")
        name = script(
            "import subprocess, sys\n"
            "from mutx_agent import govern\n"
            "with govern.session(agent='outer'):\n"
            "    subprocess.run([sys.executable, 'child.py'], env={}, check=True)\n"
        )
        done = launch("--session", "family", "--", PYTHON, name)
        assert done.stdout == "hi child\ndefault\n"
        assert "Python processes governed: 2" in done.stderr
        receipts = operator.security.session_receipts("family").receipts
        assert {receipt.agent_id for receipt in receipts if receipt.tool_name == "greet"} == {"outer"}

    def test_children_that_would_run_ungoverned_are_refused(self, launch: Launch, script: Script) -> None:
        name = script(
            "import os, subprocess, sys\n"
            "for command, options in (([sys.executable, '-I', 'x.py'], {}), (f'{sys.executable} -E x.py', {'shell': True})):\n"
            "    try: subprocess.run(command, **options)\n"
            "    except PermissionError as error: print(type(error).__name__)\n"
        )
        assert launch("--", PYTHON, name).stdout == "UngovernedChild\nUngovernedChild\n"

    def test_with_leave_they_run_and_everything_says_so(
        self, launch: Launch, script: Script, operator: MutxClient
    ) -> None:
        name = script(
            "import subprocess, sys\n"
            "from mutx_agent import govern\n"
            "subprocess.run([sys.executable, '-I', '-c', 'print(1)'], check=True)\n"
            "print(govern(lambda name: name, tool='greet')(name='x'))\n"
        )
        done = launch("--allow-unproved", "--session", "loud", "--", PYTHON, name)
        assert done.stdout == "1\nx\n"
        assert done.stderr.count("WARNING") == 2
        receipts = operator.security.session_receipts("loud").receipts
        assert receipts[0].tool_args is not None
        assert receipts[0].tool_args["enforcement"]["allow_unproved"] is True
        greeting = next(one for one in receipts if one.tool_name == "greet")
        assert "unproved: python" in runtime_of(greeting)


def test_without_a_control_plane_the_launcher_is_one(folder: Path, script: Script, tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUTX_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mutx", "run", "--", PYTHON, script("print('never')")],
        env={**kept, "MUTX_HOME": str(home)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 125
    assert "decided by embedded" in done.stderr
    assert "no policy is in force" in done.stderr
    assert done.stdout == ""


LANGCHAIN = """
from langchain_core.tools import tool

@tool
def greet(name: str) -> str:
    "Greets."
    return f"hi {name}"

@tool
def wipe(name: str) -> str:
    "Wipes."
    open("wiped", "w").close()
    return "wiped"

for each in (greet, wipe):
    call = {"name": each.name, "args": {"name": "bob"}, "id": "1", "type": "tool_call"}
    print(each.invoke(call).content)
import sys
print("langchain.agents" in sys.modules)
"""


@pytest.mark.slow
def test_a_framework_is_governed_without_a_change_to_the_program(launch: Launch, script: Script, folder: Path) -> None:
    """With a port for servers of its own the network is the machine's: Landlock and seccomp hold it then."""
    words = ("--report", "report.json", "--local-port", "47808")
    done = launch(*words, "--", PYTHON, script(LANGCHAIN))
    greeted, refused, agents = done.stdout.splitlines()
    assert greeted == "hi bob"
    assert "wipe was not run" in refused
    assert not (folder / "wiped").exists()
    assert agents == "False", "the proof at start imports what only the official hook needs"
    assert "adapters proved: langchain" in done.stderr
    assert enforcement(folder)["network"]["state"] in ("partly", "off")


def test_a_framework_whose_tools_pass_elsewhere_stops_the_program(launch: Launch, script: Script, folder: Path) -> None:
    """Another version, in which nothing goes through the place that the adapter knows."""
    package = folder / "langchain_core"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tools.py").write_text("class BaseTool:\n    pass\n")
    done = launch("--", PYTHON, script("print('before'); import langchain_core; print('after')"), exits=125)
    assert done.stdout == "before\n"
    assert "langchain is loaded and its governance is not proved" in done.stderr


def _at_the_terminal() -> None:
    """As a shell that people type into starts a program: whoever started these tests may have ^C ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_terminal_is_passed_through(environment: dict[str, str], folder: Path) -> None:
    """The program has the terminal, and what is typed there reaches it once."""
    ours, theirs = pty.openpty()
    command = "test -t 0 && test -t 1 && echo tty-yes; trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done"
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "mutx", "run", "--quiet", "--", "sh", "-c", command],
        env=environment,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_at_the_terminal,  # noqa: PLW1509 - nothing else knows how to
    )
    os.close(theirs)
    output = b""
    with run, os.fdopen(ours, "rb+", buffering=0) as terminal:
        while b"ready" not in output:
            output += terminal.read(4096)
        terminal.write(b"\x03")
        while b"caught" not in output:
            output += terminal.read(4096)
        assert run.wait(60) == 5
    assert b"tty-yes" in output
    assert output.count(b"caught") == 1
