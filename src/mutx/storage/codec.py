"""How a turn lies in the store: a body that stays, and beside it the values that may be erased.

Body and values are msgpack with field names, so that a later release reads what an earlier one wrote.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.turn import Event, Sealed, Turn
from mutx.kit.errors import InputError

NOTHING = Sealed()


class Values(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Every raw value of a turn."""

    sealed: Sealed
    input_preview: str | None = None


class StoredTurn(Struct, frozen=True, gc=False):
    """A turn as its row holds it."""

    body: bytes
    values: bytes


_turns = msgspec.msgpack.Decoder(Turn)
_values = msgspec.msgpack.Decoder(Values)


def erased(turn: Turn, **changes: Any) -> Turn:
    """The turn without any raw value, what is left of it after `erase`; with further `changes`."""
    action, decision, outcome = turn.action, turn.decision, turn.outcome
    if decision.modified_args is not None or decision.critical:
        modified: dict[str, Any] | None = None if decision.modified_args is None else {}
        critical = tuple(replace(argument, value="") for argument in decision.critical)
        decision = replace(decision, modified_args=modified, critical=critical)
    if outcome is not None:
        outcome = replace(outcome, result=None, error=None)
    action = replace(action, tool_args={}, input_preview=None)
    return replace(turn, action=action, decision=decision, outcome=outcome, sealed=NOTHING, **changes)


def encode_turn(turn: Turn) -> StoredTurn:
    """Raises InputError for a value that JSON could not have brought."""
    bare = erased(turn, receipt=replace(turn.receipt, envelope=b""), events=())
    values = Values(sealed=turn.sealed, input_preview=turn.action.input_preview)
    try:
        return StoredTurn(msgspec.msgpack.encode(bare), msgspec.msgpack.encode(values))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"an argument or result cannot be stored: {error}") from error


def decode_turn(body: bytes, envelope: bytes, values: bytes | None) -> Turn:
    """The stored turn, without its events; without its values once they are erased."""
    turn = _turns.decode(body)
    turn = replace(turn, receipt=replace(turn.receipt, envelope=envelope))
    return turn if values is None else _restored(turn, _values.decode(values))


def _restored(turn: Turn, values: Values) -> Turn:
    sealed, decision, outcome = values.sealed, turn.decision, turn.outcome
    action = replace(turn.action, tool_args=sealed.args or {}, input_preview=values.input_preview)
    if decision.modified_args is not None or decision.critical:
        pairs = zip(decision.critical, sealed.critical, strict=True)
        critical = tuple(replace(argument, value=value) for argument, value in pairs)
        decision = replace(decision, modified_args=sealed.modified_args, critical=critical)
    if outcome is not None:
        outcome = replace(outcome, result=sealed.result, error=sealed.error)
    return replace(turn, action=action, decision=decision, outcome=outcome, sealed=sealed)


def encode_payload(event: Event) -> str:
    """An event's payload as JSON text."""
    return msgspec.json.encode(event.payload).decode()
