"""`mutx policies backtest` and `mine` at a real control plane, and what their exit statuses mean for a pipeline."""

import json
from pathlib import Path

import pytest
import yaml

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.policy_history import seconds
from mutx.kit.errors import InputError
from mutx.sdk import MutxClient
from mutx_agent import ActionDenied, Governor
from tests.cli.conftest import Run
from tests.sdk.local import POLICY, agent_key


@pytest.fixture
def worked(plane: LocalControlPlane, client: MutxClient) -> str:
    """An agent that did something; its id."""
    agent_id, key = agent_key(client, "historian")
    governor = Governor(url=plane.url, api_key=key, agent_id=agent_id, on_unrecorded="raise")
    for number in range(12):
        with governor.session(request="read"), governor.action("read_page", {"number": number}) as action:
            action.result = "text"
    governor.close()
    return agent_id


def test_a_backtest_tells_a_pipeline(run: Run, signed_in: None, worked: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(POLICY)
    words = ["policies", "backtest", str(file), "--since", "1d", "--agent", worked]
    assert "12 decisions of 12 sessions: 0 would be others" in run(*words).stdout
    file.write_text(POLICY.replace('{tool: "read*"}, effect: allow', '{tool: "read*"}, effect: deny'))
    shown = run(*words, exits=1).stdout
    assert "12 would be others, 12 of them stricter" in shown
    assert "shop/read" in shown
    run(*words, "--fail-on", "stricter", exits=1)
    run(*words, "--fail-on", "never")
    answer = json.loads(run("bench", "history", *words[2:], "--json", exits=1).stdout)
    assert answer["changes"][0]["count"] == 12


def test_a_mined_policy_says_which_sessions_taught_nothing(
    run: Run, signed_in: None, client: MutxClient, plane: LocalControlPlane
) -> None:
    agent_id, key = agent_key(client, "rebel")
    governor = Governor(url=plane.url, api_key=key, agent_id=agent_id, on_unrecorded="raise")
    for number in range(10):
        with governor.session(request="read"), governor.action("read_page", {"number": number}) as action:
            action.result = "text"
    with (
        governor.session(request="read"),
        pytest.raises(ActionDenied, match="no rule applies"),
        governor.action("drop_table", {}),
    ):
        pass
    governor.close()
    assert "# left out: 1 sessions in which something was denied" in run("policies", "mine", "--agent", agent_id).stdout


def test_a_mined_policy_lints_and_says_what_it_was_learned_from(
    run: Run, signed_in: None, worked: str, tmp_path: Path
) -> None:
    shown = run("policies", "mine", "--agent", worked, "--name", "learned").stdout
    assert "# false blocks on held-out sessions: 0 of" in shown
    assert yaml.safe_load(shown)["tools"]["read_page"]["parameters"]["number"]["type"] == "number"
    file = tmp_path / "learned.yaml"
    file.write_text(shown)
    run("policies", "lint", str(file))
    answer = json.loads(run("policies", "mine", "--agent", worked, "--json").stdout)
    assert answer["sessions"] + answer["held_out_sessions"] == 12
    assert answer["false_blocks"]["sessions"]["hits"] == 0


def test_spans() -> None:
    assert [seconds(text) for text in ("90s", "5m", "12h", "30d", "4w")] == [90, 300, 43200, 2592000, 2419200]
    for text in ("", "0d", "d", "30", "-1d"):
        with pytest.raises(InputError):
            seconds(text)
