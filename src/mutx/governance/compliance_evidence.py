"""Probes of what stays behind: receipts, identities in them, telemetry."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from mutx.governance.compliance_lab import (
    AGENT,
    AS_AGENT,
    REVIEWER,
    SESSION,
    WORKSPACE,
    Laboratory,
    ProbeFailed,
    Rig,
    expect,
)
from mutx.governance.receipts import open_receipt
from mutx.governance.turn import TurnKind, Verdict
from mutx.governance.types import Effect, ToolCall
from mutx.governance.verify import verify_session
from mutx.kit.canonical import canonical
from mutx.kit.errors import PermissionDenied, VerificationFailed

MIXED = """
name: mixed
default: deny
rules:
  - {id: read, match: {tool: read}, effect: allow}
  - {id: mask, match: {tool: mail}, effect: modify, modify: [{remove: bcc}]}
  - {id: ask, match: {tool: wire}, effect: step_up}
"""

PRIVATE = "marker-of-a-value-battery-staple"


KINDS_OF_TURN = len(TurnKind)


async def _session(lab: Laboratory) -> Rig:
    """A session with every kind of turn in it."""
    rig = lab.rig(MIXED)
    await rig.call("read", path=PRIVATE)
    await rig.call("mail", to="a@example.com", bcc=PRIVATE)
    await rig.call("drop", table=PRIVATE)
    asked = await rig.call("wire", iban=PRIVATE)
    if asked.request is not None:
        released = await rig.pipeline.resolve(asked.request.id, Verdict.APPROVE, REVIEWER)
        await rig.run(released, {"iban": PRIVATE}, result={"paid": PRIVATE})
    return rig


async def _envelopes(rig: Rig) -> list[bytes]:
    envelopes = [turn.receipt.envelope for turn in await rig.turns()]
    expect(len(envelopes) > KINDS_OF_TURN, "a turn left no receipt")
    return envelopes


def _verifies(rig: Rig, envelopes: Sequence[bytes]) -> bool:
    try:
        verify_session(envelopes, rig.keys, workspace_id=WORKSPACE, session_id=SESSION)
    except VerificationFailed:
        return False
    return True


async def receipts_verify_offline(lab: Laboratory) -> str:
    rig = await _session(lab)
    envelopes = await _envelopes(rig)
    chain = verify_session(envelopes, rig.keys, workspace_id=WORKSPACE, session_id=SESSION)
    state = await rig.ledger.load(WORKSPACE, SESSION)
    expect((chain.count, chain.head) == (state.seq, state.head), "the verified chain ends elsewhere than the ledger's")
    return f"{chain.count} receipts verified from their bytes and public keys alone"


async def mutations_are_caught(lab: Laboratory) -> str:
    rig = await _session(lab)
    envelopes = await _envelopes(rig)
    caught = 0
    for place, envelope in enumerate(envelopes):
        for changed in _mutations(envelope):
            expect(not _verifies(rig, [*envelopes[:place], changed, *envelopes[place + 1 :]]), "a change went unseen")
            caught += 1
    broken = {
        "deleted": [*envelopes[:1], *envelopes[2:]],
        "first deleted": envelopes[1:],
        "swapped": [envelopes[1], envelopes[0], *envelopes[2:]],
        "duplicated": [*envelopes[:2], envelopes[1], *envelopes[2:]],
    }
    for what, given in broken.items():
        expect(not _verifies(rig, given), f"a receipt {what} went unseen")
    return f"{caught} changes of single leaves, and receipts {', '.join(broken)}: all caught"


def _mutations(envelope: bytes) -> Iterator[bytes]:
    """The envelope with one leaf of its body changed, for each leaf; signature and linkage left as they are."""
    outer = msgspec.json.decode(envelope)
    body = open_receipt(envelope)
    for path in list(_leaves(body)):
        changed = msgspec.json.decode(msgspec.json.encode(body))
        _change(changed, path)
        payload = msgspec.json.decode(msgspec.json.encode(canonical(changed)))  # bytes become base64 text
        yield canonical({**outer, "payload": payload})


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path


def _change(body: Any, path: tuple[str | int, ...]) -> None:
    *parents, last = path
    for step in parents:
        body = body[step]
    body[last] = f"{body[last]}0"


async def outcome_has_its_own_receipt(lab: Laboratory) -> str:
    rig = lab.rig(MIXED)
    call = ToolCall(tool_name="read", agent_id=AGENT, session_id=SESSION)
    answer = await rig.pipeline.decide(call, AS_AGENT)
    before = await rig.turns()
    expect([turn.kind for turn in before] == [TurnKind.DECISION], "no receipt was sealed before the tool could run")
    await rig.run(answer, {})
    after = await rig.turns()
    expect([turn.kind for turn in after] == [TurnKind.DECISION, TurnKind.OUTCOME], "the outcome has no receipt")
    about = open_receipt(after[1].receipt.envelope)["about"]
    expect(about == answer.receipt_id, "the outcome's receipt names another decision")
    return "the decision was sealed before the tool ran, the outcome after, and names its decision"


async def identity_is_bound(lab: Laboratory) -> str:
    rig = await _session(lab)
    for envelope in await _envelopes(rig):
        body = open_receipt(envelope)
        who = body["identity"]
        expect((who["user"], who["agent"], body["session"]) == (AS_AGENT.user_id, AGENT, SESSION), "someone is missing")
        held = (who["principal"], who["method"], tuple(who["scopes"]))
        expect(held == (AS_AGENT.principal_id, AS_AGENT.method, AS_AGENT.scopes), "principal or scopes are missing")
    try:
        await rig.pipeline.decide(ToolCall(tool_name="read", agent_id="another", session_id=SESSION), AS_AGENT)
    except PermissionDenied:
        return "every receipt binds human, agent, session, principal and scopes; a key cannot name another agent"
    raise ProbeFailed("an agent's key spoke for another agent")


async def revoked_identity_is_denied(lab: Laboratory) -> str:
    rig = lab.rig(MIXED)
    asked = await rig.call("wire", iban="DE00")
    rig.identities.revoked.add(AS_AGENT.principal_id)
    expect(asked.request is not None, "nobody was asked")
    request_id = asked.request.id if asked.request else ""
    released = await rig.pipeline.resolve(request_id, Verdict.APPROVE, REVIEWER)
    expect(released.effect is Effect.DENY and not rig.tool.ran, "an action of a revoked identity was released")
    asking = [open_receipt(turn.receipt.envelope)["identity"]["agent"] for turn in await rig.turns()]
    expect(asking == [AGENT, AGENT], "a receipt lost the identity that asked")
    return "approved after its key was revoked: denied at release, with the original identity in the receipt"


async def telemetry_is_buffered_and_clean(lab: Laboratory) -> str:
    rig = await _session(lab)
    queued = await rig.ledger.events("nobody-listens", 1000)
    topics = {each.event.topic for each in queued}
    wanted = {"aarm.action", "aarm.decision", "aarm.approval", "aarm.outcome"}
    expect(wanted <= topics, f"no event for {', '.join(sorted(wanted - topics))}")
    turns = await rig.turns()
    told = {each.event.payload.get("receipt_id") for each in queued}
    expect({turn.receipt.id for turn in turns} <= told, "a turn has no event")
    text = msgspec.json.encode([each.event.payload for each in queued])
    expect(PRIVATE.encode() not in text, "an argument or result stands in an event in the clear")
    return (
        f"{len(queued)} events of {len(turns)} turns wait for a sink that never came; none holds an argument or result"
    )


EVIDENCE_PROBES: Mapping[str, Callable[[Laboratory], Awaitable[str]]] = {
    probe.__name__: probe
    for probe in (
        receipts_verify_offline,
        mutations_are_caught,
        outcome_has_its_own_receipt,
        identity_is_bound,
        revoked_identity_is_denied,
        telemetry_is_buffered_and_clean,
    )
}
