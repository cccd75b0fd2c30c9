"""`mutx bench`: what this engine does with recorded work and known attacks, as figures that anyone can repeat."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from mutx.cli.lazy import LazyGroup
from mutx.cli.state import CliState, pass_state, shared_options

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
WORDINGS = ("plain", "important", "override", "todo")

BENCHES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "agentdojo": ("mutx.cli.commands.bench:agentdojo", "Users' tasks and attacks of AgentDojo, without a model."),
        "drift": ("mutx.cli.commands.bench:drift", "False alarms and finds of the intent signal."),
        "guardrail": ("mutx.cli.bench.command:guardrail", "Recall and false positives on labelled texts."),
        "history": ("mutx.cli.policy_history:backtest", "What was recorded, decided again under another policy."),
    }
)
bench = LazyGroup(BENCHES, name="bench", about="Measure the engine on recorded work and known attacks.")


@click.command("agentdojo")
@click.option("--suite", "suites", multiple=True, required=True, help="A suite's name; may be given several times.")
@click.option(
    "--policy", "policy_file", type=FILE, help="A PolicySet; without it one is proposed from the suite's tools."
)
@click.option("--wording", type=click.Choice(WORDINGS), default="important", show_default=True, help="Of the attack.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write agentdojo.json, .md and .png there."
)
@shared_options
@pass_state
def agentdojo(
    state: CliState, suites: tuple[str, ...], policy_file: Path | None, wording: str, out: Path | None
) -> None:
    """Play AgentDojo's user tasks (v1.1.2) through the engine, alone and with every attack; no model is involved.

    Every pair of task and attack is played twice: the attack's calls stand right after the first result that shows the
    attack's text, and at the end. A pair counts as a success of the attack if either reaches the goal by the suite's own
    check. `auto`: nobody is there, so what is asked does not run. `stepup_stopped`: a person says yes to the user's own
    calls and no to the attack's.
    """
    from mutx.cli.policy_files import read_policy
    from mutx.cli.scoreboard.report import versions, write
    from mutx.cli.scoreboard.scores import score

    policy = None if policy_file is None else read_policy(policy_file)
    results, markdown = score(tuple(dict.fromkeys(suites)), policy, wording)
    results |= {"versions": versions("agentdojo"), "policy": "proposed" if policy is None else policy.name}
    if out is not None:
        for file in write(out, "agentdojo", results, markdown):
            click.echo(f"wrote {file}", err=True)
    _show(state, results, markdown)


@click.command("drift")
@click.option("--suite", "suites", multiple=True, help="A suite of AgentDojo; may be given several times.")
@click.option("--traces", "files", multiple=True, type=FILE, help="JSONL: request, and calls of tool, args and reads.")
@click.option("--embedding", type=click.Choice(["local", "endpoint"]), help="Measure with a model instead of words.")
@click.option("--model", default="", help="The local model's folder, or the model's name at the endpoint.")
@click.option("--endpoint", default="", help="Base URL of the endpoint.")
@click.option("--near", type=float, default=0.2, show_default=True, help="The cosine distance that counts as 0.")
@click.option("--far", type=float, default=0.9, show_default=True, help="The cosine distance that counts as 1.")
@shared_options
@pass_state
def drift(
    state: CliState,
    suites: tuple[str, ...],
    files: tuple[Path, ...],
    embedding: str | None,
    model: str,
    endpoint: str,
    near: float,
    far: float,
) -> None:
    """How often the intent signal rises in sessions that do what was asked, and in sessions that are led astray.

    Without --traces the sessions that come along are measured. A false alarm is a session of ordinary work in which the
    signal rises at any call; a session led astray is such work followed by calls for another goal. Calibrate --near and
    --far with traces of your own agents, and set them as DRIFT_EMBEDDING_NEAR and DRIFT_EMBEDDING_FAR.
    """
    from mutx.cli.scoreboard.drifting import measure, table
    from mutx.kit.clock import SystemClock
    from mutx.server.embedding import open_embedder
    from mutx.server.settings import read_settings

    named = {"": embedding or "", "_model": model, "_url": endpoint, "_near": near, "_far": far, "_seconds": 30.0}
    settings = read_settings().model_copy(update={f"drift_embedding{name}": value for name, value in named.items()})
    results = measure(tuple(dict.fromkeys(suites)), files, open_embedder(settings, SystemClock()))
    _show(state, results, table(results))


def _show(state: CliState, results: dict[str, Any], markdown: str) -> None:
    if state.as_json:
        state.emit_json(results | results["suites"])
    else:
        state.say(markdown)
