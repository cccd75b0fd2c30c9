"""`mutx tools`: what a policy should know of tools."""

import json
from pathlib import Path
from typing import Any

import click
import yaml

from mutx.cli.files import text_of
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.kit.errors import InputError

MAX_FILE = 16 << 20


@click.group()
def tools() -> None:
    """Say what tools do, for policies."""


@tools.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="labelled", show_default=True, help="Of the proposed policy.")
@shared_options
@pass_state
def label(state: CliState, file: Path, name: str) -> None:
    """Propose a policy from tools' names, descriptions and JSON schemas, for a person to edit.

    FILE is JSON or YAML: an OpenAPI document, an MCP `tools/list` answer, or a list of function specs.
    """
    from mutx.governance.labelling.policy import propose
    from mutx.governance.labelling.spec import read_specs

    proposed = propose(read_specs(_content(file)), name)
    if state.as_json:
        state.emit_json(proposed)
    else:
        click.echo(yaml.safe_dump(proposed, sort_keys=False, allow_unicode=True, width=120), nl=False)


def _content(file: Path) -> Any:
    if file.stat().st_size > MAX_FILE:
        raise InputError(f"{file} is larger than {MAX_FILE >> 20} MiB: split it")
    text = text_of(file)
    try:
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{file} is neither JSON nor YAML: {error}") from error
