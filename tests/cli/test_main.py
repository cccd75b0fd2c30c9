"""The program as a whole: help, exit statuses, errors, and what it loads."""

import json
import subprocess
import sys
from importlib import import_module

import click
import pytest

from mutx.cli import exits
from mutx.cli.build import FamilyGroup
from mutx.cli.main import COMMANDS, cli
from mutx.contract.operation import operations
from mutx.contract.registry import FAMILIES
from mutx.kit import errors
from mutx.sdk.message import Unreachable
from tests.cli.conftest import Run


def test_help_names_every_command_and_every_exit_status(run: Run) -> None:
    shown = run("--help").stdout
    assert all(name in shown for name in COMMANDS)
    assert all(f"  {status.value:<4} {meaning}" in shown for status, meaning in exits.MEANING.items())
    assert "version" in run("--version").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str, run: Run) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert isinstance(getattr(import_module(module), attribute), click.Command)
    assert "Usage:" in run(name, "--help").stdout


def test_every_operation_is_a_command() -> None:
    context = click.Context(cli)
    for name, family in FAMILIES.items():
        group = cli.get_command(context, name.replace("_", "-"))
        assert isinstance(group, FamilyGroup), name
        for op in operations(family):
            assert group.get_command(context, op.name.replace("_", "-")) is not None, op.name


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['mutx', '--help']\n"
        "import mutx.cli.main\n"
        "try: mutx.cli.main.main()\n"
        "except SystemExit: pass\n"
        "print([n for n in ('pydantic', 'httpx2', 'rich', 'fastapi', 'sqlalchemy', 'msgspec', 'mutx.sdk') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "mutx", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: mutx")


def test_every_error_has_an_exit_status() -> None:
    assert exits.exit_of(errors.PermissionDenied("")) is exits.Exit.AUTH
    assert exits.exit_of(Unreachable("")) is exits.Exit.UNREACHABLE
    assert exits.exit_of(errors.VerificationFailed("")) is exits.Exit.VERIFICATION_FAILED
    assert {exits.exit_of(kind("")) for kind in errors.BY_CODE.values()} <= set(exits.Exit)


@pytest.mark.usefixtures("address")
def test_errors_are_one_line_for_people_and_one_object_for_programs(run: Run) -> None:
    assert run("agents", "list", exits=4).stderr.startswith("Error: ")
    problem = json.loads(run("agents", "list", "--json", exits=4).stderr)["error"]
    assert problem["code"] == "unauthenticated"
    assert run("--url", "http://127.0.0.1:9", "health", "get", exits=5).stderr.startswith("Error: the control plane")


def test_a_slip_of_the_pen_is_told_what_was_meant(run: Run) -> None:
    assert "Did you mean 'policies'?" in run("polices", exits=2).stderr
    assert "Did you mean 'apply'?" in run("policies", "aply", exits=2).stderr


def test_help_says_what_the_contract_says_of_a_field(run: Run) -> None:
    shown = " ".join(run("governance", "decide", "--help").stdout.split())
    assert "--depends-on TEXT Actions that have to be allowed before this one is." in shown


def test_wrong_use_exits_with_2(run: Run) -> None:
    for words in (["nonsense"], ["agents", "get"], ["agents", "get", "no-uuid"], ["agents", "list", "--limit", "x"]):
        run(*words, exits=2)
