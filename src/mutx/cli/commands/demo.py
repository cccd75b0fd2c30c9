"""`mutx demo`: a governed agent at work, from the first call to the proof."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from mutx.cli.state import CliState, pass_state, shared_options
from mutx.kit.errors import SetupError


@click.command()
@click.option(
    "--model", default="scripted", help="A real model as PROVIDER:NAME, for instance openai:gpt-5; needs its key."
)
@click.option("--keep", is_flag=True, help="Keep the folder with everything the run left.")
@shared_options
@pass_state
@click.pass_context
def demo(context: click.Context, state: CliState, model: str, keep: bool) -> None:
    """Run a real agent with real tools under a control plane of its own, and prove what happened.

    Exit status 0 means that every promise was kept by the records of the mail server, the payment service, the files and
    the receipts. The scripted model needs no key and no network.
    """
    if find_spec("langchain") is None or find_spec("langgraph") is None:
        raise SetupError("the demo's agent is a LangGraph agent: pip install 'mutx[langgraph]'")
    from rich.console import Console

    from mutx.cli.demo.display import Display
    from mutx.cli.demo.story import DemoStory

    root = Path(tempfile.mkdtemp(prefix="mutx-demo-"))
    display = Display(Console(), quiet=state.as_json)
    try:
        observations = DemoStory(root, model, display).run()
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    if state.as_json:
        state.emit_json(
            {"folder": str(root) if keep else None, "observations": [one._asdict() for one in observations]}
        )
    else:
        display.table(observations)
        display.next_steps(root if keep else None)
    context.exit(0 if all(one.seen for one in observations) else 1)
