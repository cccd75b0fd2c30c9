"""`mutx policies`: check a document before it decides anything, try it, put it in force."""

from pathlib import Path

import click

from mutx.cli.build import FamilyGroup
from mutx.cli.files import text_of
from mutx.cli.output import count, print_table, show
from mutx.cli.policy_cases import read_cases, try_case
from mutx.cli.policy_files import Remark, kind_of, read_policy, remarks
from mutx.cli.policy_history import backtest, mine
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.policies import PolicyWrite
from mutx.governance.policy.document import load
from mutx.governance.policy.packs import PACKS, pack
from mutx.kit.errors import MutxError, PolicyInvalid
from mutx.sdk.groups import PoliciesApi

POLICY_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

policies = FamilyGroup("policies", PoliciesApi, "Check, try and apply policies.")
policies.add_command(backtest)
policies.add_command(mine)


@policies.command("lint")
@click.argument("files", nargs=-1, required=True, type=POLICY_FILE)
@shared_options
@pass_state
def lint(state: CliState, files: tuple[Path, ...]) -> None:
    """Check policy documents without a server: what does not compile, never applies, or contradicts itself."""
    found = [(file, remark) for file in files for remark in remarks(file)]
    if state.as_json:
        state.emit_json([{"file": str(file), **remark._asdict()} for file, remark in found])
    else:
        for file, remark in found:
            click.echo(_place(file, remark))
        errors = sum(remark.severity == "error" for _, remark in found)
        click.echo(", ".join((count(len(files), "file"), count(errors, "error"), count(len(found), "remark"))))
    if any(remark.severity == "error" for _, remark in found):
        raise PolicyInvalid("there are errors; a policy with errors is refused whole")


def _place(file: Path, remark: Remark) -> str:
    rule = f"rule {remark.rule}: " if remark.rule else ""
    return f"{file}:{remark.line or 1}:{remark.column or 1}: {remark.severity}: {rule}{remark.message} [{remark.code}]"


@policies.command("test")
@click.argument("file", type=POLICY_FILE)
@click.argument("cases", type=POLICY_FILE)
@shared_options
@pass_state
def run_cases(state: CliState, file: Path, cases: Path) -> None:
    """Run a table of cases (YAML) against a policy with the real engine, without a server.

    \b
    cases:
      - name: large payments are asked about
        tool: pay
        args: {amount: 5000}
        expect: step_up
    """
    policy = read_policy(file)
    results = [try_case(policy, case) for case in read_cases(cases)]
    if state.as_json:
        state.emit_json([result._asdict() for result in results])
    else:
        rows = ([r.name, "ok" if r.passed else "FAILED", r.expected, r.got, r.reason] for r in results)
        print_table(["case", "result", "expected", "got", "why"], rows)
    failed = sum(not result.passed for result in results)
    if failed:
        raise MutxError(f"{failed} of {len(results)} cases failed")


@policies.command("apply")
@click.argument("files", nargs=-1, type=POLICY_FILE)
@click.option("--pack", "packs", multiple=True, type=click.Choice(PACKS), help="One of the policies that come along.")
@shared_options
@pass_state
def apply(state: CliState, files: tuple[Path, ...], packs: tuple[str, ...]) -> None:
    """Put policy documents (YAML, JSON, FPL) in force. Each replaces the policy of its name; a file in FPL is called like
    the file. One that does not compile changes nothing."""
    wanted = [PolicyWrite(name=read_policy(file).name, document=text_of(file), kind=kind_of(file)) for file in files]
    wanted += [PolicyWrite(name=name, document=pack(name)) for name in packs]
    if not wanted:
        raise click.UsageError("name a file, or a pack with --pack; `mutx policies packs` lists them")
    for each in wanted:
        policy = state.client.policies.put(each.name, each)
        if state.as_json:
            show(state, policy)
        else:
            click.echo(f"{policy.name} version {policy.version} is in force")


@policies.command("packs")
@click.argument("name", required=False, type=click.Choice(PACKS))
@click.option("--fpl", is_flag=True, help="In FPL instead of YAML.")
@shared_options
@pass_state
def show_packs(state: CliState, name: str | None, fpl: bool) -> None:
    """List the policies that come along, or print one, to be changed and applied."""
    if name is not None:
        click.echo(pack(name, fpl=fpl), nl=False)
        return
    told = [{"name": each, "description": load(pack(each)).description} for each in PACKS]
    if state.as_json:
        state.emit_json(told)
    else:
        print_table(["pack", "what for"], ([each["name"], each["description"]] for each in told))
