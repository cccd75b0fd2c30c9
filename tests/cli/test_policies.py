"""Policies before they decide anything: linted, tried, applied."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.sdk.local import POLICY

CASES = """
cases:
  - {name: small, tool: pay, args: {amount: 5}, expect: allow, expect_rule: small}
  - {name: large, tool: pay, args: {amount: 500}, expect: step_up}
  - {name: unknown tool, tool: shell, expect: deny}
  - name: a number in a mail
    tool: mail
    args: {body: "ssn 078-05-1120"}
    expect: modify
    expect_args: {body: "ssn [REDACTED:ssn]"}
  - name: after reading
    request: look around
    after: [{tool: read, args: {path: a}, result: text}]
    tool: read
    args: {path: b}
    expect: allow
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def test_a_good_policy_has_nothing_against_it(run: Run, policy: Path) -> None:
    assert "0 errors" in run("policies", "lint", str(policy)).stdout


def test_lint_names_file_line_and_problem(run: Run, policy: Path) -> None:
    policy.write_text(POLICY + "  - {id: odd, match: {tool: x}, efect: deny}\n")
    shown = run("policies", "lint", str(policy), exits=1).stdout
    assert f"{policy}:16:" in shown
    assert "efect" in shown
    found = json.loads(run("policies", "lint", str(policy), "--json", exits=1).stdout)
    assert {remark["severity"] for remark in found} == {"error"}


def test_lint_names_rules_that_never_apply(run: Run, policy: Path) -> None:
    policy.write_text(POLICY + '  - {id: late, match: {tool: "read*"}, effect: allow, priority: 900}\n')
    assert "late" in run("policies", "lint", str(policy)).stdout


def test_cases_are_decided_by_the_real_engine(run: Run, policy: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.yaml"
    cases.write_text(CASES)
    assert "FAILED" not in run("policies", "test", str(policy), str(cases)).stdout
    cases.write_text(CASES + "  - {name: wrong, tool: pay, args: {amount: 5}, expect: deny}\n")
    shown = run("policies", "test", str(policy), str(cases), exits=1)
    assert "FAILED" in shown.stdout
    assert "1 of 6" in shown.stderr
    results = json.loads(run("policies", "test", str(policy), str(cases), "--json", exits=1).stdout)
    assert [result["passed"] for result in results] == [True] * 5 + [False]


@pytest.mark.parametrize(
    "text", ["[", "nothing: 1", "cases: [{name: x}]", "cases: [{name: x, tool: y, expect: maybe}]"]
)
def test_broken_cases_say_where(run: Run, policy: Path, tmp_path: Path, text: str) -> None:
    cases = tmp_path / "cases.yaml"
    cases.write_text(text)
    assert str(cases) in run("policies", "test", str(policy), str(cases), exits=1).stderr


@pytest.mark.usefixtures("signed_in")
def test_apply_puts_a_policy_in_force_or_changes_nothing(run: Run, ask: Callable[..., Any], policy: Path) -> None:
    assert "in force" in run("policies", "apply", str(policy)).stdout
    assert "shop" in run("policies", "list").stdout
    before = ask("policies", "get", "shop")["version"]
    policy.write_text(POLICY.replace("effect: allow", "effect: perhaps"))
    assert f"{policy}:" in run("policies", "apply", str(policy), exits=1).stderr
    assert ask("policies", "get", "shop")["version"] == before


@pytest.mark.usefixtures("signed_in")
def test_what_was_put_in_force_is_told_as_json(ask: Callable[..., Any], policy: Path) -> None:
    assert ask("policies", "apply", str(policy))["digest"]


def test_a_file_in_fpl_is_checked_and_tried_like_any_other(run: Run, tmp_path: Path) -> None:
    policy, cases = tmp_path / "payment bot.fpl", tmp_path / "cases.yaml"
    policy.write_text("agent agent {\n  permit pay when amount <= 10\n  defer pay\n}\n")
    cases.write_text("cases:\n  - {name: a, tool: pay, args: {amount: 5}, expect: allow, expect_rule: agent.line-2}\n")
    assert "0 errors" in run("policies", "lint", str(policy)).stdout
    assert "ok" in run("policies", "test", str(policy), str(cases)).stdout
    policy.write_text("agent agent {\n  permit pay when amount / 2 <= 10\n}\n")
    assert f"{policy}:2:26: " in run("policies", "lint", str(policy), exits=1).stdout
    assert "is not supported" in run("policies", "test", str(policy), str(cases), exits=1).stderr


def test_the_packs_that_come_along_are_listed_and_printed(run: Run, tmp_path: Path) -> None:
    assert "customer-support" in run("policies", "packs").stdout
    assert json.loads(run("policies", "packs", "--json").stdout)[0]["name"] == "starter"
    for form, option in (("yaml", []), ("fpl", ["--fpl"])):
        file = tmp_path / f"payments.{form}"
        file.write_text(run("policies", "packs", "payments", *option).stdout)
        assert "0 errors, 0 remarks" in run("policies", "lint", str(file)).stdout
    assert "--pack" in run("policies", "apply", exits=2).stderr
