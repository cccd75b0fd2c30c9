"""The signed body of a receipt, version 1: the shape that docs/receipt-format.md §3 describes for other languages.

A member that would be null or an empty list is absent. No value of an argument, a result or an error stands in a
body, only commitments to them (`commitments`). Times are RFC 3339 in UTC with microseconds. Fields: AARM R5, 2026-03-26.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from mutx.governance.turn import TurnKind
from mutx.kit.errors import InputError, VerificationFailed

VERSION = 1
PAYLOAD_TYPE = "application/vnd.mutx.receipt.v1+json"

Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""A SHA-256, or a commitment, which is one too."""
At = Annotated[str, Meta(pattern=r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")]
"""A time; as text in the order of time."""


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """An object of the body."""


class ActionPart(Part, frozen=True, kw_only=True, gc=False):
    """What was to be done. `hash` and `args` are commitments."""

    id: str
    hash: Hash
    tool: str
    operation: str
    args: Hash
    trigger: str
    runtime: str
    timestamp: At
    called_as: str | None = None
    parent: str | None = None
    depends_on: tuple[str, ...] = ()


class IdentityPart(Part, frozen=True, kw_only=True, gc=False):
    """Who it was done for, by whom, with which rights."""

    user: str
    agent: str
    principal: str
    principal_kind: str
    method: str
    claimed_user: str | None = None
    service: str | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    delegation: tuple[str, ...] = ()
    """Principals that passed the right on, the first one first; empty: the agent acts by its own."""


class RulePart(Part, frozen=True, kw_only=True, gc=False):
    """The rule that decided."""

    id: str
    name: str
    policy: str
    effect: str
    priority: int


class CriticalPart(Part, frozen=True, kw_only=True, gc=False):
    """A critical argument and where its value came from. `value` is a commitment."""

    name: str
    value: Hash
    origin: str
    source: str | None = None


class DecisionPart(Part, frozen=True, kw_only=True, gc=False):
    """What was decided and why. `modified` is a commitment; `reason` is made without values."""

    effect: str
    reason_code: str
    reason: str
    policy_version: str
    risk: str
    category: str
    intent: str
    rule: RulePart | None = None
    matched: tuple[str, ...] = ()
    """`policy/rule` ids."""
    asks: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    modifications: tuple[str, ...] = ()
    modified: Hash | None = None
    critical: tuple[CriticalPart, ...] = ()
    grant: str | None = None


class VotePart(Part, frozen=True, kw_only=True, gc=False):
    """One person's word."""

    by: str
    verdict: str
    at: At
    own_request: bool = False


class ApprovalPart(Part, frozen=True, kw_only=True, gc=False):
    """The question put to people and their answers so far."""

    request_id: str
    kind: str
    status: str
    quorum: int
    expires_at: At
    votes: tuple[VotePart, ...] = ()


class DeferralPart(Part, frozen=True, kw_only=True, gc=False):
    """Why an action was deferred; how and when that ended, once it did."""

    reason: str
    method: str | None = None
    resolved_at: At | None = None


class PermitPart(Part, frozen=True, kw_only=True, gc=False):
    """The permit given out. `args_hash` is a commitment."""

    id: str
    args_hash: Hash
    expires_at: At
    audience: str


class OutcomePart(Part, frozen=True, kw_only=True, gc=False):
    """What came of the action. `result` and `error` are commitments; an absent result is null."""

    status: str
    result: Hash | None = None
    error: Hash | None = None
    duration_ms: int | None = None


class ReceiptBody(Part, frozen=True, kw_only=True, gc=False):
    """One link of a session's chain."""

    v: int
    kind: TurnKind
    id: str
    workspace: str
    session: str
    seq: int
    prev: Hash
    context: Hash
    at: At
    door: str
    action: ActionPart
    identity: IdentityPart
    decision: DecisionPart
    approval: ApprovalPart | None = None
    deferral: DeferralPart | None = None
    permit: PermitPart | None = None
    outcome: OutcomePart | None = None
    about: str | None = None
    """Receipt id of the decision that a resolution or an outcome belongs to."""


# Member names are ASCII and no member is a float, so sorted Struct members are RFC 8785 (held by a test).
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(ReceiptBody, strict=True)


def encode_body(body: ReceiptBody) -> bytes:
    """The RFC 8785 bytes of a body. Raises InputError where a text holds a lone surrogate."""
    try:
        return _ENCODER.encode(body)
    except UnicodeEncodeError as error:
        raise InputError("a text in this action holds a lone surrogate; send valid Unicode") from error


def decode_body(payload: bytes) -> ReceiptBody:
    """Read a body that is exactly as `encode_body` writes it. Raises VerificationFailed."""
    try:
        body = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VerificationFailed(f"the receipt's body is not of format {VERSION}: {error}") from error
    if body.v != VERSION:
        raise VerificationFailed(f"the receipt has format {body.v}; this verifier knows format {VERSION}")
    if _ENCODER.encode(body) != payload:
        raise VerificationFailed("the receipt's body is not in canonical form")
    return body


def body_dict(body: ReceiptBody) -> dict[str, Any]:
    """The body as plain JSON values."""
    plain: dict[str, Any] = msgspec.json.decode(_ENCODER.encode(body))
    return plain
