"""`mutx audit`: who did what, and a file that proves it without asking anyone."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mutx.cli.build import FamilyGroup
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.kit.errors import VerificationFailed, VerificationIncomplete
from mutx.sdk.groups import AuditApi

if TYPE_CHECKING:
    from mutx.governance.audit.verify import EvidenceReport

audit = FamilyGroup("audit", AuditApi, "Who did what.")


@audit.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "--keys",
    "keys",
    multiple=True,
    metavar="FILE|KEY",
    help="A public key you trust: a file, or the key itself (base64).",
)
@shared_options
@pass_state
def verify(state: CliState, file: Path, keys: tuple[str, ...]) -> None:
    """Verify a file of evidence (`mutx audit evidence`) with nothing but public keys: no server, no network.

    Get the keys from the control plane's operator (`mutx security keys --json`), not with the file. Exit status 6: something
    is wrong; 7: nothing is wrong, but without a trusted key that proves too little.
    """
    from mutx.governance.audit.verify import verify_evidence
    from mutx.governance.keys import KeyRing

    report = verify_evidence(file.read_bytes(), KeyRing(each for key in keys for each in _read_key(key)))
    if state.as_json:
        import msgspec

        state.emit_json(msgspec.to_builtins(report))
    else:
        _verdict(report)
    if report.verdict == "failed":
        raise VerificationFailed(f"{file} does not verify")
    if report.verdict == "incomplete":
        raise VerificationIncomplete(f"{file} is incomplete: nothing is wrong in it, and it does not prove enough")


def _verdict(report: "EvidenceReport") -> None:
    for error in report.errors:
        click.echo(f"  {error}")
    if report.pruned:
        click.echo(f"entries 1 to {report.pruned} were removed by retention, as the signed head says")
    click.echo(
        f"{report.verdict.value}: {report.entries} entries ({report.withheld} without content), "
        f"{report.receipts} receipts, {report.sessions} whole sessions"
    )


def _read_key(source: str) -> Iterable[Any]:
    from mutx.governance.keys import read_keys

    path = Path(source)
    return read_keys(path.read_text("utf-8") if path.is_file() else source)
