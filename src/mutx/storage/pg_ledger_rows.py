"""A turn as the append function of PostgreSQL takes it: rows for each of its arrays (migration 0006)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from mutx.governance.turn import Turn
from mutx.kit.errors import InputError
from mutx.storage.codec import encode_payload, encode_turn
from mutx.storage.ledger_writes import row_of_request
from mutx.storage.tally import charges_of, ends_closed, grant_of, tally
from mutx.storage.views import decided_by

Row = tuple[Any, ...]


class Parts(Struct, frozen=True):
    """The rows of one turn, all but the first two to be preceded by the turn's place."""

    turn: Row
    content: Row
    charges: tuple[Row, ...]
    """What is taken from counters, then what else was read of them."""
    requests: tuple[Row, ...]
    grants: tuple[Row, ...]
    events: tuple[Row, ...]
    size: int
    """Bytes, about."""


def parts_of(turn: Turn, snapshot: bytes | None) -> Parts:
    """Raises InputError for what PostgreSQL cannot hold."""
    stored = encode_turn(turn)
    names = (turn.workspace_id, turn.session_id)
    row = (
        *names,
        turn.prev,
        ends_closed(turn),
        turn.seq,
        turn.kind.value,
        turn.action.id,
        turn.receipt.id,
        turn.receipt.hash,
        turn.action.tool_name,
        turn.action.agent_id,
        turn.action.user_id,
        decided_by(turn),
        turn.decision.effect.value,
        turn.at,
        None if turn.permit is None else turn.permit.expires_at,
        grant_of(turn),
        *tally(turn),
    )
    parts = Parts(
        turn=row,
        content=(stored.body, turn.receipt.envelope, stored.values, snapshot),
        charges=_charges(turn),
        requests=tuple(row_of_request(request) for request in turn.requests),
        grants=tuple(
            (g.id, g.workspace_id, g.agent_id, g.tool_name, g.expires_at, g.uses_left, msgspec.json.encode(g).decode())
            for g in turn.new_grants
        ),
        events=tuple((event.topic, event.workspace_id, event.at, encode_payload(event)) for event in turn.events),
        size=len(stored.body) + len(stored.values) + len(turn.receipt.envelope) + len(snapshot or b""),
    )
    _refuse_nul(parts)
    return parts


def _charges(turn: Turn) -> tuple[Row, ...]:
    """One row for each counter: charges of one key together, under the lower of their limits."""
    taken: dict[str, tuple[int, int, float]] = {}
    for charge in charges_of(turn):
        amount, most, _ = taken.get(charge.key, (0, charge.limit, 0.0))
        taken[charge.key] = (amount + charge.amount, min(most, charge.limit), charge.window_end)
    if not taken:
        return ()
    rows = [(turn.workspace_id, key, *rest) for key, rest in taken.items()]
    read = {reading.key: reading.value for reading in turn.facts.readings}
    return (*rows, *((turn.workspace_id, key, 0, value, None) for key, value in read.items() if key not in taken))


def _refuse_nul(parts: Parts) -> None:
    """One text that cannot be stored would fail its whole group."""
    for row in (parts.turn, *parts.requests, *parts.grants, *parts.events, *parts.charges):
        for value in row:
            if isinstance(value, str) and "\x00" in value:
                raise InputError("a name or text holds the character U+0000, which cannot be stored; leave it out")


def arrays(group: Sequence[Parts]) -> tuple[list[Row], ...]:
    """The arguments of the append function: turns, contents, charges, requests, grants, events."""
    found: tuple[list[Row], ...] = ([], [], [], [], [], [])
    turns, contents, charges, requests, grants, events = found
    for place, parts in enumerate(group, 1):
        turns.append(parts.turn)
        contents.append(parts.content)
        charges += [(place, *row) for row in parts.charges]
        requests += [(place, *row) for row in parts.requests]
        grants += [(place, *row) for row in parts.grants]
        events += [(place, *row) for row in parts.events]
    return found
