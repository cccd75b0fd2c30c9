"""Verify a file of audit evidence with nothing but public keys: no server, no network.

Links are walked from the first that is kept to the signed head; contents are held against the commitments in their
links; receipts are verified one by one and as chains, up to the signed end of each session.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.audit.entry import AuditChain, content_fits
from mutx.governance.audit.evidence import EVIDENCE_FORMAT, EvidenceHeads, EvidenceLine, read_lines
from mutx.governance.audit.head import AuditHead, open_head
from mutx.governance.chain import ReceiptChain
from mutx.governance.keys import Jwk, KeyRing, from_jwk
from mutx.governance.receipt_checks import check_validity, open_envelope, verify_receipt
from mutx.governance.statement import HEAD_TYPE, HeadStatement, decode_statement
from mutx.governance.verify_report import VerificationVerdict
from mutx.kit.canonical import canonical
from mutx.kit.errors import KeyUnusable, VerificationFailed

MAX_ERRORS = 100
NO_KEY = "no trusted key was given; get the public key from the control plane's operator"


class EvidenceReport(Struct, frozen=True, kw_only=True):
    """The outcome. Only `verified` is good."""

    verdict: VerificationVerdict
    errors: tuple[str, ...] = ()
    workspace: str | None = None
    entries: int = 0
    withheld: int = 0
    """Entries whose content is not in the file: left out, or erased."""
    pruned: int = 0
    """Entries before the first one in the file: removed by retention, as the signed head says."""
    receipts: int = 0
    sessions: int = 0
    stated_at: str | None = None
    """When the chain of entries was last signed: later entries may exist."""


def verify_evidence(data: bytes, trusted: KeyRing) -> EvidenceReport:
    """Never raises for what is in the file. With an empty ring of keys the verdict is at best `incomplete`."""
    try:
        lines = list(read_lines(data))
        _shape(lines)
        brought = KeyRing(from_jwk(msgspec.convert(each, Jwk)) for each in lines[0].keys)
    except (VerificationFailed, KeyUnusable, msgspec.ValidationError) as error:
        return EvidenceReport(verdict=VerificationVerdict.FAILED, errors=(str(error),))
    report = EvidenceVerification(lines).run(trusted if len(trusted) else brought)
    if len(trusted) or report.errors:
        return report
    return replace(report, verdict=VerificationVerdict.INCOMPLETE, errors=(NO_KEY,))


def _shape(lines: list[EvidenceLine]) -> None:
    first, last = lines[0], lines[-1]
    if first.format != EVIDENCE_FORMAT or first.workspace is None:
        raise VerificationFailed(f"this is no audit export of format {EVIDENCE_FORMAT}")
    if last.head is None or any(line.entry is None and line.receipt is None for line in lines[1:-1]):
        raise VerificationFailed(
            "the file does not end with the signed heads of its chains: it was cut off or mixed up"
        )


class EvidenceVerification:
    """One run over the lines of a well-formed file."""

    def __init__(self, lines: list[EvidenceLine]) -> None:
        self._workspace = lines[0].workspace or ""
        self._entries = [line for line in lines if line.entry is not None]
        self._receipts = [line.receipt for line in lines if line.receipt is not None]
        self._head = lines[-1].head or EvidenceHeads(None, {})
        self._errors: list[str] = []

    def run(self, keys: KeyRing) -> EvidenceReport:
        head = self._audit_head(keys)
        chain = AuditChain(self._workspace, head.base, head.base_hash) if head else AuditChain(self._workspace)
        self._errors += self._walk(chain)
        if head is not None and not head.ends(chain):
            self._errors.append(
                f"the file ends with entry {chain.seq}, the signed head says {head.seq}: "
                "entries are missing at its end or were replaced"
            )
        sessions = self._sessions(keys)
        return EvidenceReport(
            verdict=VerificationVerdict.FAILED if self._errors else VerificationVerdict.VERIFIED,
            errors=tuple(self._errors[:MAX_ERRORS]),
            workspace=self._workspace,
            entries=len(self._entries),
            withheld=sum(line.content is None for line in self._entries),
            pruned=head.base if head else 0,
            receipts=len(self._receipts),
            sessions=sessions,
            stated_at=head.at if head else None,
        )

    def _audit_head(self, keys: KeyRing) -> AuditHead | None:
        if self._head.entries is None:
            if self._entries:
                self._errors.append("the end of the entries is not signed: whether any are missing cannot be told")
            return None
        try:
            return open_head(canonical(self._head.entries), keys)
        except VerificationFailed as error:
            self._errors.append(f"signed head of the entries: {error}")
            return None

    def _walk(self, chain: AuditChain) -> Iterator[str]:
        for line in self._entries:
            assert line.entry is not None
            try:
                chain.link(line.entry)
            except VerificationFailed as error:
                yield str(error)
            if line.content is not None and not content_fits(line.entry, line.salt or "", line.content):
                yield f"entry {line.entry.seq} was changed: its content is not what the chain holds"

    def _sessions(self, keys: KeyRing) -> int:
        """How many sessions hold."""
        try:
            statement = _statement(self._head.sessions, keys)
        except VerificationFailed as error:
            self._errors.append(f"signed heads of the sessions: {error}")
            return 0
        chains = {(s.workspace, s.session): ReceiptChain(s.workspace, s.session) for s in statement.sessions}
        for position, receipt in enumerate(self._receipts, 1):
            try:
                _take(chains, canonical(receipt), keys)
            except VerificationFailed as error:
                self._errors.append(f"receipt {position}: {error}")
        ended = [(chains[s.workspace, s.session], s) for s in statement.sessions]
        wrong = [s.session for chain, s in ended if (chain.count, chain.head) != (s.count, s.head)]
        self._errors += [f"session {name} does not end where the signed statement says" for name in wrong]
        return len(ended) - len(wrong)


def _statement(envelope: dict[str, Any], keys: KeyRing) -> HeadStatement:
    payload, key = open_envelope(canonical(envelope), HEAD_TYPE, keys)
    statement = decode_statement(payload)
    check_validity(key, statement.at)
    return statement


def _take(chains: dict[tuple[str, str], ReceiptChain], envelope: bytes, keys: KeyRing) -> None:
    body = verify_receipt(envelope, keys)
    chain = chains.get((body.workspace, body.session))
    if chain is None:
        raise VerificationFailed(f"session {body.session} stands in no signed statement of this file")
    chain.link(body, envelope)
