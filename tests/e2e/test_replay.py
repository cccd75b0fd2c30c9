"""`mutx replay agentdojo` on both suites: every call leaves its two receipts, every chain verifies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_both_suites_replay_whole(short_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mutx", "replay", "agentdojo", "--suite", "workspace", "--suite", "banking", "--json"],
        env=os.environ | {"HOME": str(short_folder), "TMPDIR": str(short_folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    counts = [answer[name] for name in ("tasks", "calls", "receipts", "chains_verified")]
    assert counts == [56, 117, 234, 56]
    assert answer["short"] == []
    assert answer["default"] == "allow"
    assert {"tool": "send_money", "rate": {"per_minute": 600, "per_session": 10}}.items() <= answer["limits"][
        -1
    ].items()


def test_without_agentdojo_the_extra_is_named() -> None:
    """An environment that lacks it: its finder finds none."""
    program = (
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'agentdojo' else find(name, *a)\n"
        "from mutx.cli.main import main\n"
        "import sys; sys.argv = ['mutx', 'replay', 'agentdojo', '--suite', 'banking']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "mutx[bench]" in done.stderr


def test_only_the_suites_that_may_be_replayed_are_offered() -> None:
    words = ["replay", "agentdojo", "--suite", "another"]
    done = subprocess.run(
        [sys.executable, "-m", "mutx", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "'workspace', 'banking', 'travel', 'slack'" in done.stderr
