"""`mutx replay` at a control plane that has policies of its own: they count, and what they stop is named."""

import pytest

from mutx.cli.replay.session import in_words
from tests.cli.conftest import Run


@pytest.mark.usefixtures("signed_in")
def test_what_the_policies_there_stop_is_named(run: Run, address: str) -> None:
    done = run("replay", "agentdojo", "--suite", "banking", "--url", address, exits=1)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("AgentDojo v1.1.2, banking; default allow, with limits:")
    assert "  send_money: at most 600 per minute, 10 per session" in lines[-2]
    assert lines[-1].startswith("16 tasks, 33 calls, ")
    assert "banking/user_task_1: get_most_recent_transactions was not run: " in done.stderr
    assert "agentdojo" not in run("policies", "list").stdout, "its policy goes with it"


def test_limits_in_words() -> None:
    assert in_words({"tool": "t", "rate": {"per_minute": 2}}) == "t: at most 2 per minute"
