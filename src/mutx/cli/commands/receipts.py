"""`mutx receipts`: look at them, take them away, and prove them without asking anyone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mutx.cli.output import print_table, show
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.cli.trust import exit_by, ring_of, trusted_keys

if TYPE_CHECKING:
    from mutx.governance.verify import VerificationReport


@click.group()
def receipts() -> None:
    """Show, export and verify receipts."""


@receipts.command("show")
@click.argument("receipt_id", required=False)
@click.option("--session", "session_id", help="List the receipts of this session instead.")
@shared_options
@pass_state
def show_receipts(state: CliState, receipt_id: str | None, session_id: str | None) -> None:
    """Show one receipt, or list a session's. With neither, list the sessions."""
    if receipt_id is not None and session_id is not None:
        raise click.UsageError("name one receipt, or a session with --session, not both")
    if receipt_id is None and session_id is None:
        show(state, state.client.security.sessions())
        return
    if receipt_id is not None:
        show(state, state.client.security.receipt(receipt_id))
        return
    assert session_id is not None
    found = list(_session_receipts(state, session_id))
    if state.as_json:
        show(state, found)
    else:
        rows = ([r.sequence, r.kind, r.tool_name, r.effect, r.outcome, r.receipt_id] for r in found)
        print_table(["seq", "kind", "tool", "effect", "outcome", "receipt"], rows)


def _session_receipts(state: CliState, session_id: str) -> Iterator[Any]:
    """All of them, page by page."""
    after = 0
    while page := state.client.security.session_receipts(session_id, limit=200, after=after).receipts:
        yield from page
        after = page[-1].sequence


@receipts.command()
@click.option("--session", "session_id", required=True, help="The session to export.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output unless given."
)
@click.option("--no-values", is_flag=True, help="Leave arguments and results out; the receipts verify without them.")
@shared_options
@pass_state
def export(state: CliState, session_id: str, output: Path | None, no_values: bool) -> None:
    """Export a session's receipts with a signed statement of where its chain ends."""
    content = state.client.security.export_receipts(session_id, values=not no_values)
    if output is None:
        click.echo(content, nl=False)
        return
    output.write_bytes(content.encode())
    state.say(f"{output}: verify it anywhere with `mutx receipts verify {output} --key KEYFILE`")


@receipts.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@trusted_keys
@shared_options
@pass_state
def verify(state: CliState, file: Path, keys: tuple[str, ...]) -> None:
    """Verify an export with nothing but public keys: no server, no network.

    Get the keys from the control plane's operator (`mutx security keys --json`), not with the file. Exit status 6: something
    is wrong; 7: nothing is wrong, but without a trusted key or the signed end of the chain that proves too little.
    """
    from mutx.governance.verify import verify_export

    trusted = ring_of(keys)
    report = verify_export(file.read_bytes(), trusted if len(trusted) else None)
    if state.as_json:
        _verdict_json(state, report)
    else:
        _verdict_text(report)
    exit_by(report.verdict, file)


def _verdict_text(report: "VerificationReport") -> None:
    for finding in report.findings:
        if finding.verdict == "failed" and finding.receipt_id:
            click.echo(f"tampered receipt caught: {finding.receipt_id}")
        click.echo(f"  {finding}")
    for session in report.sessions:
        click.echo(f"session {session.session_id}: {session.count} receipts, head {session.head}")
    click.echo(f"{report.verdict.value}: {report.receipts} receipts, {len(report.sessions)} whole sessions")


def _verdict_json(state: CliState, report: "VerificationReport") -> None:
    state.emit_json(
        {
            "verdict": report.verdict.value,
            "receipts": report.receipts,
            "stated_at": report.stated_at,
            "sessions": [{"session_id": s.session_id, "count": s.count, "head": s.head} for s in report.sessions],
            "findings": [
                {
                    "verdict": f.verdict.value,
                    "step": f.step.value,
                    "message": f.message,
                    "position": f.position,
                    "receipt_id": f.receipt_id,
                    "session_id": f.session_id,
                }
                for f in report.findings
            ],
        }
    )
