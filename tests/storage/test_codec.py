"""A turn's row: values apart from the rest."""

import pytest
from msgspec.structs import replace

from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import ArgumentOrigin, Effect, Origin
from mutx.kit.errors import InputError
from mutx.storage.codec import decode_turn, encode_turn
from mutx.storage.ledger import SqliteLedger
from tests.conformance.scribe import Scribe

SECRET = "4111-1111"


async def test_no_value_lies_outside_the_values(scribe: Scribe, ledger: SqliteLedger) -> None:
    critical = (ArgumentOrigin("card", SECRET, Origin.UNTRUSTED),)
    decision = scribe.decision(Effect.MODIFY, modified_args={"card": SECRET}, critical=critical)
    state = await ledger.load("ws-1", "s-1")
    turn = scribe.decided(state, replace(scribe.action(card=SECRET), input_preview=SECRET), decision)
    outcome = Outcome(status=OutcomeStatus.ERROR, result={"card": SECRET}, error=f"no {SECRET}")
    for written in (turn, scribe.concluded(state, turn.action, decision, outcome)):
        stored = encode_turn(written)
        assert SECRET.encode() not in stored.body
        assert SECRET.encode() in stored.values
        read = decode_turn(stored.body, written.receipt.envelope, stored.values)
        assert read == replace(written, events=())
        assert SECRET not in str(decode_turn(stored.body, written.receipt.envelope, None))


@pytest.mark.parametrize("value", [object(), "\ud800", 2**70])
async def test_a_value_that_cannot_be_stored_refuses_the_turn(
    scribe: Scribe, ledger: SqliteLedger, value: object
) -> None:
    turn = await scribe.allow()
    state = await scribe.state()
    outcome = Outcome(status=OutcomeStatus.EXECUTED, result="fine")
    concluded = scribe.concluded(state, turn.action, turn.decision, outcome)
    with pytest.raises(InputError, match="cannot be stored"):
        await ledger.append(state, replace(concluded, sealed=replace(concluded.sealed, result=value)))
    assert len(await ledger.turns("ws-1", "s-1")) == 1
    await scribe.conclude(turn)
