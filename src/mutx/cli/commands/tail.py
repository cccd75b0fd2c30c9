"""`mutx tail`: decisions as they are made."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import click

from mutx.cli.follow import follow
from mutx.cli.output import COLOURS, printable, show
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.audit import AuditEvent, AuditLag

PAGE = 200
REACH = 10_000
"""How far back `/audit/events` pages, and how many events are remembered as shown."""

OVERLAP = timedelta(seconds=5)
"""Events are told a little out of order: what is read again reaches back this far, and each is shown once."""


class AuditTail:
    """New events of the audit log, each once; survives restarts of the control plane."""

    def __init__(self, state: CliState, session_id: str | None, agent_id: str | None, last: int) -> None:
        self._client = state.client
        self._session_id, self._agent_id = session_id, agent_id
        self._last = last
        self._seen: dict[str, None] = {}
        self._latest: datetime | None = None

    def entries(self) -> Iterator[AuditEvent]:
        """Until the stream ends; called again, it goes on where it was."""
        if self._last:
            yield from self._new(reversed(self._page(self._last, 0, None)))
            self._last = 0
        after = self._latest and self._latest - OVERLAP
        for item in self._client.audit.stream(after):
            yield from self._new(self._left_out(item) if isinstance(item, AuditLag) else [item])

    def _new(self, events: Iterable[AuditEvent]) -> Iterator[AuditEvent]:
        for event in events:
            if event.event_id in self._seen:
                continue
            self._seen[event.event_id] = None
            if len(self._seen) > REACH:
                del self._seen[next(iter(self._seen))]
            self._latest = max(self._latest or event.timestamp, event.timestamp)
            if self._session_id in (None, event.session_id) and self._agent_id in (None, event.agent_id):
                yield event

    def _left_out(self, lag: AuditLag) -> list[AuditEvent]:
        """What the stream could not bring, the oldest first."""
        found: list[AuditEvent] = []
        while len(found) <= REACH:
            page = self._page(PAGE, len(found), lag.since - OVERLAP)
            found += page
            if len(page) < PAGE:
                break
        return found[::-1]

    def _page(self, limit: int, skip: int, since: datetime | None) -> list[AuditEvent]:
        return self._client.audit.events(
            agent_id=self._agent_id, session_id=self._session_id, time_range_start=since, limit=limit, skip=skip
        ).events


@click.command()
@click.option("--session", "session_id", help="Only this session.")
@click.option("--agent", "agent_id", help="Only this agent.")
@click.option("--last", type=click.IntRange(0, PAGE), default=10, show_default=True, help="Begin with past entries.")
@shared_options
@pass_state
def tail(state: CliState, session_id: str | None, agent_id: str | None, last: int) -> None:
    """Follow decisions, approvals and outcomes as they are made, until interrupted."""
    log = AuditTail(state, session_id, agent_id, last)
    for entry in follow(log.entries, state):
        if state.as_json:
            show(state, entry)
        else:
            click.echo(line(entry))


def line(entry: AuditEvent) -> str:
    """One entry on one line."""
    payload = entry.payload
    effect = str(payload.get("effect") or payload.get("status") or "")
    what = str(payload.get("tool_name") or payload.get("action_type") or "")
    reason = str(payload.get("reason") or "")
    at = entry.timestamp.astimezone().strftime("%H:%M:%S")
    shown = click.style(f"{effect:<8}", fg=COLOURS.get(effect.lower()))
    return f"{at}  {shown} {printable(f'{entry.event_type:<16} {what:<20} {entry.agent_id}  {reason}').rstrip()}"
