"""What the person at the terminal sees while the demo runs, and at its end."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mutx.cli.demo.agent_process import AgentEvent
from mutx.cli.demo.evidence import DemoObservation

WIDTH = 110
MEANING = {
    "allowed": "an allowed command ran",
    "denied": "a denied command never ran",
    "redacted": "a mail left without the SSN",
    "survived_kill": "a payment waited through kill -9",
    "paid_once": "it was paid once",
    "untrusted_recipient": "an address from an untrusted mail was stopped",
    "receipts": "every call has its receipts",
    "verified": "all receipts verify offline",
    "tamper_caught": "one changed byte is caught",
    "agent_finished": "the agent went on to the end",
}


class Display:
    """Writes to one console; `quiet` keeps everything but the final table away."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet

    def say(self, text: str) -> None:
        self._line(f"[dim]mutx   {escape(text)}[/dim]")

    def hear(self, event: AgentEvent) -> None:
        """One line of the agent."""
        if "call" in event:
            self._line(f"[bold]agent[/bold]  {escape(short(event['call'] + ' ' + json.dumps(event['args'])))}")
        elif "result" in event:
            colour = "red" if event["status"] == "error" else "green"
            self._line(f"       [{colour}]{escape(short(event['result']))}[/{colour}]")
        else:
            self._line(f"[bold]agent[/bold]  {escape(event['says'])}")

    def asked(self, request: dict[str, Any]) -> None:
        """The question, and each critical value with where it came from."""
        self._line(f"[yellow]asks   {escape(short(request['action_type'] + ': ' + request['reason']))}[/yellow]")
        for one in request["critical"]:
            self._line(f"[yellow]       {escape(short('{name} = {value}, {origin}'.format(**one)))}[/yellow]")

    def answers(self, command: str, request: dict[str, Any]) -> None:
        """A person does, in a process of their own."""
        self._line(f"[yellow]person mutx {command} {escape(request['id'])}[/yellow]")

    def table(self, observations: Sequence[DemoObservation]) -> None:
        table = Table(title="What was observed")
        for column in ("", "promise", "record"):
            table.add_column(column, overflow="fold")
        for one in observations:
            mark = "[green]yes[/green]" if one.seen else "[red]NO[/red]"
            table.add_row(mark, MEANING[one.name], escape(one.evidence))
        self._console.print(table)

    def next_steps(self, folder: Path | None) -> None:
        lines = ["", "Run it with --keep to look at what it left."]
        if folder is not None:
            verify = f"mutx receipts verify {folder}/receipts.json --key {folder}/public-keys.json"
            lines = ["", f"Everything is in {folder}; check it yourself:", f"  {verify}"]
        lines.append("Start your own with `mutx up`; README.md has the tour, docs/policies.md the policy language.")
        self._console.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)

    def _line(self, markup: str) -> None:
        if not self._quiet:
            self._console.print(markup, soft_wrap=True, highlight=False)


def short(text: str) -> str:
    """One line of at most WIDTH characters."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
