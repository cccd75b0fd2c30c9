"""`mutx audit`: who did what, and a file that proves it without asking anyone."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mutx.cli.build import FamilyGroup
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.cli.trust import exit_by, ring_of, trusted_keys
from mutx.sdk.groups import AuditApi

if TYPE_CHECKING:
    from mutx.governance.audit.verify import EvidenceReport

audit = FamilyGroup("audit", AuditApi, "Who did what.")


@audit.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@trusted_keys
@shared_options
@pass_state
def verify(state: CliState, file: Path, keys: tuple[str, ...]) -> None:
    """Verify a file of evidence (`mutx audit evidence`) with nothing but public keys: no server, no network.

    Get the keys from the control plane's operator (`mutx security keys --json`), not with the file. Exit status 6: something
    is wrong; 7: nothing is wrong, but without a trusted key that proves too little.
    """
    from mutx.governance.audit.verify import verify_evidence

    report = verify_evidence(file.read_bytes(), ring_of(keys))
    if state.as_json:
        import msgspec

        state.emit_json(msgspec.to_builtins(report))
    else:
        _verdict(report)
    exit_by(report.verdict, file)


def _verdict(report: "EvidenceReport") -> None:
    for error in report.errors:
        click.echo(f"  {error}")
    if report.pruned:
        click.echo(f"entries 1 to {report.pruned} were removed by retention, as the signed head says")
    click.echo(
        f"{report.verdict.value}: {report.entries} entries ({report.withheld} without content), "
        f"{report.receipts} receipts, {report.sessions} whole sessions"
    )
