"""Streams that are followed over restarts of the control plane."""

from collections.abc import Iterator

import pytest

from mutx.cli import follow as module
from mutx.cli.commands.tail import AuditTail, line
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.follow import follow
from mutx.cli.state import CliState
from mutx.kit.errors import NotFound
from mutx.sdk import MutxClient, Unreachable
from mutx_agent import Governor
from tests.sdk import local


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


def test_tail_shows_every_entry_once_and_in_order(plane: LocalControlPlane, client: MutxClient) -> None:
    agent, key = local.agent_key(client)
    governor = Governor(url=plane.url, api_key=key, agent_id=agent)
    read = governor(tool="read")(lambda path: path)
    read("a")
    entries = AuditTail(CliState(client), None, agent, 2).entries()
    first = [next(entries) for _ in range(2)]
    read("b")
    later = [next(entries) for _ in range(3)]
    governor.close()
    sequences = [entry.sequence for entry in first + later]
    assert sequences == sorted(set(sequences))
    assert any("read" in line(entry) for entry in later)
