"""Verification of one exported file, steps (2) to (9). See `verify` for all steps."""

from itertools import groupby

import msgspec
from msgspec import Struct

from mutx.governance.chain import ReceiptChain
from mutx.governance.commitments import opens
from mutx.governance.dsse import parse
from mutx.governance.export_format import ExportFile
from mutx.governance.keys import Jwk, KeyRing, from_jwk
from mutx.governance.openings import commitments_of
from mutx.governance.receipt_body import ReceiptBody, decode_body
from mutx.governance.receipt_checks import check_validity, open_envelope, verify_receipt
from mutx.governance.statement import HEAD_TYPE, HeadStatement, decode_statement
from mutx.governance.verify_report import (
    VerificationFinding,
    VerificationReport,
    VerificationStep,
    VerificationVerdict,
    VerifiedSession,
)
from mutx.kit.canonical import canonical, digest
from mutx.kit.errors import KeyUnusable, VerificationFailed


class Placed(Struct, frozen=True):
    """A receipt that stands alone, and where it was found (1-based)."""

    position: int
    envelope: bytes
    body: ReceiptBody

    @property
    def session(self) -> tuple[str, str]:
        return self.body.workspace, self.body.session


class ExportVerification:
    """One run over one file, collecting what it finds."""

    def __init__(self, file: ExportFile, keys: KeyRing) -> None:
        self._file = file
        self._keys = keys
        self._findings: list[VerificationFinding] = []
        self._receipts: list[Placed] = []
        self._chains: list[ReceiptChain] = []
        self._stated_at: str | None = None

    def run(self) -> VerificationReport:
        """Steps (2) to (9); a step is not taken where one before it failed."""
        for judge in (self._judge_receipts, self._judge_links, self._judge_values, self._judge_head):
            judge()
            if self._has_failed():
                return VerificationReport(findings=tuple(self._findings), receipts=len(self._file.receipts))
        return VerificationReport(
            findings=tuple(self._findings),
            receipts=len(self._file.receipts),
            sessions=tuple(
                VerifiedSession(
                    workspace_id=chain.workspace_id, session_id=chain.session_id, count=chain.count, head=chain.head
                )
                for chain in self._chains
            ),
            stated_at=self._stated_at,
        )

    def incomplete(self, step: VerificationStep, message: str) -> None:
        """Note that something is missing."""
        verdict = VerificationVerdict.INCOMPLETE
        self._findings.append(VerificationFinding(verdict=verdict, step=step, message=message))

    def _judge_receipts(self) -> None:  # (2) to (6)
        for position, value in enumerate(self._file.receipts, 1):
            envelope = canonical(value)
            try:
                self._receipts.append(Placed(position, envelope, verify_receipt(envelope, self._keys)))
            except VerificationFailed as error:
                self._failed(error, error.details["step"], position, _claimed(envelope))

    def _judge_links(self) -> None:  # (7)
        if not self._receipts:
            self.incomplete(VerificationStep.LINK, "the file holds no receipts")
        ids: set[str] = set()
        last = ("", "")
        for session, receipts in groupby(self._receipts, key=lambda placed: placed.session):
            chain = ReceiptChain(*session)
            self._chains.append(chain)
            for placed in receipts:
                try:
                    _link(chain, placed, after=last, ids=ids)
                except VerificationFailed as error:
                    self._failed(error, VerificationStep.LINK, placed.position, placed.body)
                    break
            last = session

    def _judge_values(self) -> None:  # (8)
        receipts = {placed.body.id: placed for placed in self._receipts}
        for receipt_id, openings in self._file.values.items():
            placed = receipts.get(receipt_id)
            if placed is None:
                error = VerificationFailed(f"there are values for {receipt_id}, which is no receipt in this file")
                self._failed(error, VerificationStep.VALUES)
                continue
            commitments = commitments_of(placed.body)
            for slot, opening in openings.items():
                if slot not in commitments or not opens(slot, commitments[slot], opening):
                    error = VerificationFailed(f"the value beside it for {slot} is not what it commits to")
                    self._failed(error, VerificationStep.VALUES, placed.position, placed.body)

    def _judge_head(self) -> None:  # (9)
        if self._file.head is None:
            self.incomplete(VerificationStep.HEAD, "no signed head: receipts may be missing at the end; export again")
            return
        try:
            payload, key = open_envelope(canonical(self._file.head), HEAD_TYPE, self._keys)
            statement = decode_statement(payload)
            check_validity(key, statement.at)
            _compare(statement, self._file, self._chains)
            self._stated_at = statement.at
        except VerificationFailed as error:
            self._failed(error, VerificationStep.HEAD)

    def _failed(
        self,
        error: VerificationFailed,
        step: VerificationStep,
        position: int | None = None,
        body: ReceiptBody | None = None,
    ) -> None:
        self._findings.append(
            VerificationFinding(
                verdict=VerificationVerdict.FAILED,
                step=step,
                message=str(error),
                position=position,
                receipt_id=body.id if body is not None else None,
                session_id=body.session if body is not None else None,
            )
        )

    def _has_failed(self) -> bool:
        return any(finding.verdict is VerificationVerdict.FAILED for finding in self._findings)


def brought_keys(file: ExportFile) -> KeyRing:
    """The keys in the file; each must be what its id says. Raises VerificationFailed."""
    try:
        keys = [from_jwk(msgspec.convert(value, Jwk)) for value in file.keys]
    except (KeyUnusable, msgspec.ValidationError) as error:
        raise VerificationFailed(f"a key in the file is not what it says: {error}") from error
    if [key.jwk() for key in keys] != list(file.keys):
        raise VerificationFailed("a key in the file is not in the form that is exported")
    return KeyRing(keys)


def _claimed(envelope: bytes) -> ReceiptBody | None:
    """Who a failed receipt says it is, to name it in a finding."""
    try:
        return decode_body(parse(envelope).payload)
    except VerificationFailed:
        return None


def _link(chain: ReceiptChain, placed: Placed, *, after: tuple[str, str], ids: set[str]) -> None:
    if placed.session <= after:
        raise VerificationFailed("sessions must stand whole and sorted by workspace and session")
    if placed.body.id in ids:
        raise VerificationFailed("a receipt before it has the same id")
    chain.link(placed.body, placed.envelope)
    ids.add(placed.body.id)


def _compare(statement: HeadStatement, file: ExportFile, chains: list[ReceiptChain]) -> None:
    """The statement names exactly these keys and chains, in this order. Raises VerificationFailed."""
    if statement.keys != digest(file.keys):
        raise VerificationFailed("the keys in the file are not those that were exported")
    stated = [(head.workspace, head.session) for head in statement.sessions]
    if stated != [(chain.workspace_id, chain.session_id) for chain in chains]:
        raise VerificationFailed("the signed head names other sessions than the file holds")
    for head, chain in zip(statement.sessions, chains, strict=True):
        if (head.count, head.head) != (chain.count, chain.head):
            raise VerificationFailed(
                f"session {chain.session_id} holds {chain.count} receipts, the signed head ends it at number {head.count}"
            )
