"""Programs that are supervised in these tests, each with one habit."""

import sys
from pathlib import Path

COMMON = """
import fcntl, os, signal, subprocess, sys, time
from pathlib import Path
here = Path(__file__).parent
def note(name, text=""):
    with (here / name).open("a") as file:
        file.write(f"{text or os.getpid()}\\n")
"""

HABITS = {
    "waits": """
print("ready", os.environ.get("REGION", "-"), flush=True)
note("started")
time.sleep(1000)
""",
    "stubborn": """
# Ignores TERM, and so do a child in its group and a daemon that has left it.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note("family")
            time.sleep(1000)
        os._exit(0)
    note("family")
    time.sleep(1000)
note("family")
while len((here / "family").read_text().split()) < 3:
    time.sleep(0.02)
print("ready", flush=True)
time.sleep(1000)
""",
    "tidies": """
# Takes its time to end in good order.
def tidy(*_):
    note("tidied")
    sys.exit(0)
signal.signal(signal.SIGTERM, tidy)
print("ready", os.getpid(), flush=True)
time.sleep(1000)
""",
    "crashes": """
note("started")
sys.exit(3)
""",
    "crashes-once": """
note("started")
if len((here / "started").read_text().split()) == 1:
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(1000)
""",
    "finishes": """
# and leaves somebody behind
if os.fork() == 0:
    note("family")
    time.sleep(1000)
while not (here / "family").exists():
    time.sleep(0.02)
print("done", flush=True)
""",
    "floods": """
for number in range(200_000):
    print(number, "password=hunter2-%d" % number)
print("the key is", os.environ["SHOP_KEY"], flush=True)
note("started")
time.sleep(1000)
""",
    "alone": """
# Writes down if it ever runs beside another one.
lock = (here / "lock").open("w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("doubled")
note("started")
time.sleep(1000)
""",
}


def profiles(folder: Path, **more: dict[str, object]) -> dict[str, dict[str, object]]:
    """Every habit as a launch profile, written to `folder`."""
    folder.mkdir(exist_ok=True)
    found: dict[str, dict[str, object]] = {}
    for name, text in HABITS.items():
        program = folder / name / "program.py"
        program.parent.mkdir(exist_ok=True)
        program.write_text(COMMON + text)
        found[name] = {"command": [sys.executable, str(program)], "env_keys": ["REGION", "SHOP_KEY"]}
    return found | more
