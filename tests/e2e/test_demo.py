"""`mutx demo` as a person runs it: everything it promises is observed on the world's own records."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.provider import chat_completions

PROMISES = {
    "allowed",
    "denied",
    "redacted",
    "survived_kill",
    "paid_once",
    "untrusted_recipient",
    "receipts",
    "verified",
    "tamper_caught",
    "agent_finished",
}


def run_demo(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mutx", "demo", *words],
        env=os.environ | {"HOME": str(home), "TMPDIR": str(home)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.slow
def test_the_demo_keeps_every_promise(short_folder: Path) -> None:
    done = run_demo("--json", "--keep", home=short_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    observed = {one["name"]: one for one in answer["observations"]}
    assert observed.keys() == PROMISES
    assert all(one["seen"] for one in observed.values()), observed
    assert "detector ssn" in observed["redacted"]["evidence"]
    assert observed["tamper_caught"]["evidence"].startswith("tampered receipt caught: ")
    office = Path(answer["folder"]) / "office"
    assert len((office / "payments.jsonl").read_text().splitlines()) == 1
    assert not (office / "customers-copy.db").exists()
    assert len(list((office / "sent").iterdir())) == 1


@pytest.mark.slow
def test_a_real_provider_takes_the_place_of_the_script(short_folder: Path) -> None:
    """The provider's own client library, over the provider's wire, against a server of ours."""
    with chat_completions() as address:
        key = {"OPENAI_API_KEY": "sk-none", "OPENAI_BASE_URL": address}
        done = run_demo("--model", "openai:gpt-5", home=short_folder, **key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tampered receipt caught: " in done.stdout
    assert list(short_folder.glob("mutx-demo-*")) == []


@pytest.mark.slow
def test_a_model_that_cannot_start_is_an_error(short_folder: Path) -> None:
    done = run_demo("--model", "nobody:nothing", home=short_folder)
    assert done.returncode == 1
    assert "the agent did not start" in done.stderr


def test_without_langgraph_the_extra_is_named(short_folder: Path) -> None:
    """An environment that lacks langchain: its finder finds none."""
    program = (
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'langchain' else find(name, *a)\n"
        "from mutx.cli.main import main\n"
        "import sys; sys.argv = ['mutx', 'demo']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "mutx[langgraph]" in done.stderr
