"""A session's receipts, made by the real generator with a key that is in the vectors."""

import json
from binascii import a2b_base64, b2a_base64

from msgspec.structs import replace

from mutx.governance.chain import genesis
from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.export import export_receipts
from mutx.governance.keys import KeyRing, PublicKey
from mutx.governance.receipt_body import PAYLOAD_TYPE
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.turn import (
    ApprovalRequest,
    Outcome,
    OutcomeStatus,
    PermitRecord,
    RequestKind,
    RequestStatus,
    TurnKind,
    Verdict,
    Vote,
)
from mutx.governance.types import (
    ActionCategory,
    ApprovalSpec,
    ArgumentOrigin,
    Caller,
    Decision,
    Door,
    Effect,
    Facts,
    IntentSignal,
    NormalizedAction,
    Origin,
    PrincipalKind,
    ReasonCode,
    Risk,
    RuleRef,
)
from mutx.kit.canonical import canonical, digest
from mutx.services.signing import Ed25519Signer

SEED = bytes(range(32))
START = 1_800_000_000.0
SECRET = "s3cret-iban-DE02120300000000202051"
"""Stands in every argument, result and error, and must stand in no receipt."""

RULE = RuleRef("mail", "Mail goes out redacted", "base", Effect.ALLOW, 10)
SPEC = ApprovalSpec(quorum=2)


class Story:
    """Seals one session's turns, each after the other."""

    def __init__(self, workspace="w-1", session="s-1", signer=None, at=START):
        self.workspace, self.session, self.at = workspace, session, at
        self.signer = signer or Ed25519Signer(SEED)
        self.generator = ReceiptGenerator(self.signer)
        self.head, self.seq = genesis(workspace, session), 0
        self.receipts, self.sealed, self.turns = [], [], []

    def seal(self, kind=TurnKind.DECISION, **changes):
        self.at += 1.5
        self.seq += 1
        call = action(self)
        turn = {
            "kind": kind,
            "id": f"r-{self.session}-{self.seq}",
            "workspace_id": self.workspace,
            "session_id": self.session,
            "seq": self.seq,
            "prev": self.head,
            "at": self.at,
            "caller": caller(self),
            "action": call,
            "facts": facts(self),
            "decision": allow(),
        } | changes
        receipt, sealed = self.generator.seal(**turn)
        self.head = receipt.hash
        self.receipts.append(receipt)
        self.sealed.append(sealed)
        self.turns.append(turn)
        return receipt, sealed

    def every_kind(self):
        """Seven receipts: each kind, each effect that leaves a mark, both kinds of outcome."""
        first, _ = self.seal(permit=permit({"to": "a@b.example", "note": SECRET}))
        self.seal(TurnKind.OUTCOME, outcome=executed(), about=first.id)
        asked, _ = self.seal(decision=step_up(), request=request(self))
        args = {"to": "a@b.example", "note": "[redacted]"}
        self.seal(
            TurnKind.RESOLUTION,
            decision=modified(args),
            request=approved(request(self)),
            permit=permit(args),
            about=asked.id,
        )
        self.seal(TurnKind.OUTCOME, decision=modified(args), outcome=failed(), about=asked.id)
        deferred, _ = self.seal(decision=defer(), request=request(self, RequestKind.DEFER))
        self.seal(TurnKind.RESOLUTION, request=answered(request(self, RequestKind.DEFER)), about=deferred.id)
        return self

    @property
    def envelopes(self):
        return [receipt.envelope for receipt in self.receipts]

    @property
    def ring(self):
        return KeyRing([self.signer.public_key])


def export_bytes(*stories, values=True, signer=None, keys=None):
    """The file of some stories."""
    turns = [turn for each in stories for turn in zip(each.envelopes, each.sealed, strict=True)]
    signer = signer or stories[0].signer
    keys = keys or [PublicKey(raw=signer.public_key.raw, created_at="2027-01-01T00:00:00.000000Z")]
    pairs = [(envelope, sealed if values else None) for envelope, sealed in turns]
    return export_receipts(pairs, keys=keys, signer=signer, at=max(each.at for each in stories) + 60)


def export(*stories, **options):
    """The same as JSON values, to be changed."""
    return json.loads(export_bytes(*stories, **options))


def dump(file):
    return canonical(file) + b"\n"


def body_of(envelope):
    return json.loads(a2b_base64(envelope["payload"]))


def with_body(envelope, body):
    """The envelope with another payload and the old signature."""
    return envelope | {"payload": b2a_base64(canonical(body), newline=False).decode()}


def signed(body, signer=None, payload_type=PAYLOAD_TYPE):
    """An envelope as whoever holds the key can make it."""
    signer = signer or Ed25519Signer(SEED)
    return json.loads(EnvelopeWriter(payload_type, signer.key_id, signer.sign).write(canonical(body)))


def action(story, **changes):
    fields = {
        "id": f"a-{story.session}-{story.seq}",
        "tool_name": "send_mail",
        "operation": "call",
        "tool_args": {"to": "a@b.example", "note": SECRET},
        "agent_id": "agent-1",
        "session_id": story.session,
        "user_id": "user-1",
        "service": "payments",
        "roles": ("DEVELOPER",),
        "scopes": ("mail:send",),
        "trigger": "manual",
        "runtime": "mutx",
        "parent_action_id": "a-0",
        "timestamp": story.at - 0.25,
        "workspace_id": story.workspace,
        "depends_on": ("a-0",),
        "claimed_user_id": "mallory",
        "called_as": "mcp_tool",
    } | changes
    return NormalizedAction(action_hash=digest(fields["tool_args"]), **fields)


def caller(story):
    return Caller(
        workspace_id=story.workspace,
        principal_id="key-1",
        kind=PrincipalKind.AGENT,
        door=Door.HTTP,
        user_id="user-1",
        agent_id="agent-1",
        method="agent_key",
    )


def facts(story):
    return Facts(
        context_hash="c" * 64,
        now=story.at,
        roles=("DEVELOPER",),
        scopes=("mail:send",),
        principal_kind=PrincipalKind.AGENT,
    )


def decision(effect, code, **more):
    return Decision(effect=effect, reason_code=code, reason="as rule base/mail says", policy_version="e" * 64, **more)


def allow():
    return decision(Effect.ALLOW, ReasonCode.RULE, rule=RULE, matched=(RULE,), alerts=("base/watch",))


def step_up():
    return decision(
        Effect.STEP_UP,
        ReasonCode.UNTRUSTED_ARGUMENT,
        critical=(
            ArgumentOrigin("to", f"{SECRET}@evil.example", Origin.UNTRUSTED, "read_file#a-0"),
            ArgumentOrigin("cc", f"{SECRET}@else.example", Origin.NOWHERE),
        ),
        approval=SPEC,
        asks=("untrusted_argument",),
        risk=Risk.HIGH,
        category=ActionCategory.CONTEXT_DEPENDENT_DENY,
        intent=IntentSignal.DRIFT_SUSPECTED,
    )


def modified(args):
    return decision(
        Effect.MODIFY, ReasonCode.APPROVED, modified_args=args, modifications=("redact note (iban x1)",), grant_id="g-1"
    )


def defer():
    return decision(Effect.DEFER, ReasonCode.MISSING_CONTEXT, missing=("session.owner",))


def permit(args):
    return PermitRecord(id="p-1", args_hash=digest(args), expires_at=START + 60, audience="agent-1")


def executed():
    return Outcome(status=OutcomeStatus.EXECUTED, result={"sent": True, "echo": SECRET}, duration_ms=12)


def failed():
    return Outcome(status=OutcomeStatus.ERROR, error=f"refused for {SECRET}")


def request(story, kind=RequestKind.STEP_UP):
    return ApprovalRequest(
        id="q-1",
        token="t-1",
        kind=kind,
        status=RequestStatus.PENDING,
        workspace_id=story.workspace,
        session_id=story.session,
        action_id=f"a-{story.session}-{story.seq}",
        action_hash="f" * 64,
        tool_name="send_mail",
        agent_id="agent-1",
        user_id="user-1",
        reason="the recipient is known from untrusted output only",
        asks=("untrusted_argument",),
        spec=SPEC,
        created_at=story.at,
        expires_at=story.at + 300,
    )


def approved(asked):
    return _ended(
        asked,
        RequestStatus.APPROVED,
        Vote(verdict=Verdict.APPROVE, by="user-2", at=asked.created_at + 1, own_request=True),
    )


def answered(asked):
    return _ended(asked, RequestStatus.APPROVED, Vote(verdict=Verdict.CONTEXT, by="system", at=asked.created_at + 1))


def _ended(asked, status, vote):
    return replace(asked, status=status, votes=(vote,), decided_at=vote.at, decided_by=vote.by)
