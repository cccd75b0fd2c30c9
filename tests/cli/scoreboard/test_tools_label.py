"""`mutx tools label`: tools in, a policy out that lints."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from tests.governance.labelling.toolsets import CODE, tool

FETCH = tool("open_url", "Open a web page and return its text.", url="string")


def mutx(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mutx", *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_proposal_is_ready_to_be_edited_and_linted(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps({"tools": [*CODE, FETCH]}))
    done = mutx("tools", "label", str(tools), "--name", "code")
    assert done.returncode == 0, done.stderr
    proposed = yaml.safe_load(done.stdout)
    assert proposed["name"] == "code"
    assert proposed["tools"]["open_url"]["selectable"] == ["url"]
    policy = tmp_path / "code.yaml"
    policy.write_text(done.stdout)
    assert mutx("policies", "lint", str(policy)).returncode == 0
    assert json.loads(mutx("tools", "label", str(tools), "--json").stdout)["tools"] == proposed["tools"]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text("{")
    done = mutx("tools", "label", str(tools))
    assert done.returncode != 0
    assert "neither JSON nor YAML" in done.stderr
    with tools.open("wb") as file:
        file.truncate((16 << 20) + 1)
    assert "larger than 16 MiB" in mutx("tools", "label", str(tools)).stderr
