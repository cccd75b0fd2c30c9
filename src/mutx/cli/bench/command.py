"""`mutx bench guardrail`."""

from pathlib import Path

import click

from mutx.cli.state import CliState, pass_state, shared_options


@click.command("guardrail")
@click.option(
    "--data",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A JSONL file, or a folder of them; may be repeated.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write guardrail.json, guardrail.md and guardrail.png here."
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Measure on so many rows of each source only, drawn with --seed."
)
@click.option("--seed", type=int, default=1, show_default=True)
@shared_options
@pass_state
def guardrail(state: CliState, paths: tuple[Path, ...], out: Path | None, limit: int | None, seed: int) -> None:
    """Recall and false positives of the guardrail, by source and pooled, with 95 % intervals.

    A row with `label` (attack or benign) measures the injection check, a row with `spans` (start, end, type) the detection
    of personal data. Nothing is tuned: the shipped classifier judges at its shipped threshold.
    """
    from mutx.cli.bench.guardrail import in_words, measure
    from mutx.cli.bench.rows import read_rows
    from mutx.cli.bench.written import write_all

    rows = read_rows(paths, limit=limit, seed=seed)
    report = measure(rows, seed=seed)
    if out is not None:
        write_all(report, out)
    report.pop("scores", None)
    if state.as_json:
        state.emit_json(report)
    else:
        state.say(in_words(report))
