"""Streams that are followed over restarts of the control plane."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from mutx.cli import follow as module
from mutx.cli.commands import tail as tail_module
from mutx.cli.commands.tail import AuditTail, line
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.follow import follow
from mutx.cli.state import CliState
from mutx.contract.audit import AuditEvent, AuditLag
from mutx.kit.errors import NotFound
from mutx.sdk import MutxClient, Unreachable
from mutx.sdk.groups import AuditApi
from mutx_agent import Governor
from tests.cli.conftest import Run
from tests.sdk import local

Read = tuple[str, Callable[[str], str]]
"""The agent's id, and the tool."""


def test_a_broken_stream_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0,))
    attempts = iter([[1, Unreachable("gone")], [Unreachable("still gone")], [2], [NotFound("no")]])

    def connect() -> Iterator[int]:
        for event in next(attempts):
            if isinstance(event, Exception):
                raise event
            yield event

    events = follow(connect, CliState())
    assert [next(events), next(events)] == [1, 2]
    with pytest.raises(NotFound):
        next(events)


@pytest.fixture
def read(plane: LocalControlPlane, client: MutxClient) -> Iterator[Read]:
    """A governed tool, and the agent that calls it."""
    agent, key = local.agent_key(client)
    governor = Governor(url=plane.url, api_key=key, agent_id=agent)
    yield agent, governor(tool="read")(lambda path: path)
    governor.close()


def _next_outcome(entries: Iterator[AuditEvent]) -> list[AuditEvent]:
    """What comes until a tool has run."""
    found = [next(entries)]
    while found[-1].event_type != "TOOL_CALL":
        found.append(next(entries))
    return found


def test_tail_shows_every_event_once_and_takes_up_where_it_was(client: MutxClient, read: Read) -> None:
    agent, call = read
    call("a")
    tail = AuditTail(CliState(client), None, agent, 2)
    entries = tail.entries()
    shown = [next(entries) for _ in range(2)]
    assert [entry.event_type for entry in shown] == ["POLICY_CHECK", "TOOL_CALL"]
    call("b")
    shown += _next_outcome(entries)
    entries.close()  # the stream breaks
    call("c")
    entries = tail.entries()
    shown += _next_outcome(entries)
    entries.close()
    assert [entry.sequence for entry in shown if entry.policy_decision_id] == [1, 2, 3, 4, 5, 6]
    assert {entry.agent_id for entry in shown} == {agent}
    assert "read" in line(shown[-2])


def test_tail_reads_what_the_stream_left_out(client: MutxClient, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, call = read
    tail = AuditTail(CliState(client), None, agent, 0)
    monkeypatch.setattr(tail_module, "PAGE", 2)
    since = datetime.now(UTC)
    for name in ("a", "b", "c"):
        call(name)

    def stream(after: datetime | None) -> Iterator[AuditLag]:
        yield AuditLag(since=since)
        yield AuditLag(since=since)

    monkeypatch.setattr(AuditApi, "stream", staticmethod(stream))
    shown = [entry.sequence for entry in tail.entries() if entry.policy_decision_id]
    assert shown == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_tail_tells_people_lines_and_programs_objects(
    words: tuple[str, ...], run: Run, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "follow", lambda connect, state: islice(follow(connect, state), 2))
    agent, call = read
    call("a")
    shown = run("tail", "--last", "2", "--agent", agent, *words).stdout.splitlines()
    if words:
        assert [json.loads(each)["event_type"] for each in shown] == ["POLICY_CHECK", "TOOL_CALL"]
    else:
        assert ["POLICY_CHECK" in shown[0], "TOOL_CALL" in shown[1]] == [True, True]


def test_tail_catches_up_with_no_more_than_it_would_remember(
    client: MutxClient, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "REACH", 2)
    monkeypatch.setattr(tail_module, "PAGE", 1)
    agent, call = read
    since = datetime.now(UTC)
    for name in ("a", "b", "c"):
        call(name)

    def stream(after: datetime | None) -> Iterator[AuditLag]:
        yield AuditLag(since=since)

    monkeypatch.setattr(AuditApi, "stream", staticmethod(stream))
    assert len(list(AuditTail(CliState(client), None, agent, 0).entries())) == 3


def test_tail_remembers_a_bounded_number_of_events(
    client: MutxClient, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "REACH", 1)
    agent, call = read
    call("a")
    entries = AuditTail(CliState(client), None, agent, 2).entries()
    assert [next(entries).event_type for _ in range(2)] == ["POLICY_CHECK", "TOOL_CALL"]
    entries.close()
