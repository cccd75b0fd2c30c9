"""Verify receipts on bytes: no server, no network, nothing but public keys (docs/receipt-format.md §7).

The steps, each marked where it happens:

  (1) file       the export is well formed and in canonical form
  (2) envelope   each receipt is a DSSE envelope in canonical form, with one signature, of the receipt type
  (3) key        the key id names a trusted key
  (4) signature  Ed25519 over the pre-authentication encoding
  (5) body       the payload is a receipt body of format 1 in canonical form
  (6) validity   the key was neither revoked nor retired at the receipt's time
  (7) link       the receipts of a session follow one another without gap, fork, repetition or splice
  (8) values     what lies beside a receipt is what it commits to
  (9) head       the signed statement names these sessions, counts and heads

Receipts are judged one by one first, (2) to (6), in `receipt_checks`; only when each of them stands alone are they
judged together, (7) to (9), in `export_checks`.
"""

from collections.abc import Sequence

from mutx.governance.chain import ReceiptChain
from mutx.governance.export_checks import ExportVerification, brought_keys
from mutx.governance.export_format import read_export
from mutx.governance.keys import KeyRing
from mutx.governance.receipt_checks import at_step, verify_receipt
from mutx.governance.verify_report import VerificationFinding, VerificationReport, VerificationStep, VerificationVerdict
from mutx.kit.errors import VerificationFailed

__all__ = ["VerificationReport", "VerificationVerdict", "verify_export", "verify_receipt", "verify_session"]


def verify_session(envelopes: Sequence[bytes], keys: KeyRing, *, workspace_id: str, session_id: str) -> ReceiptChain:
    """Steps (2) to (7) on one session's receipts, from the first one on.

    Says nothing about receipts missing at the end: compare the chain's `head` and `count` with a signed statement.
    Raises VerificationFailed at the first receipt that is wrong, with `step` and `position` in its details.
    """
    chain = ReceiptChain(workspace_id, session_id)
    for position, envelope in enumerate(envelopes, 1):
        try:
            with at_step(VerificationStep.LINK):  # (7)
                chain.link(verify_receipt(envelope, keys), envelope)
        except VerificationFailed as error:
            error.details["position"] = position
            raise
    return chain


def verify_export(data: bytes, trusted: KeyRing | None = None) -> VerificationReport:
    """All steps on an exported file. Never raises for what is in the file: read the report's verdict.

    Without trusted keys the keys in the file are used, and the verdict is at best `incomplete`.
    """
    try:
        file = read_export(data)  # (1)
        brought = brought_keys(file)
    except VerificationFailed as error:
        finding = VerificationFinding(
            verdict=VerificationVerdict.FAILED, step=VerificationStep.FILE, message=str(error)
        )
        return VerificationReport(findings=(finding,))
    verification = ExportVerification(file, trusted or brought)
    if not trusted:
        verification.incomplete(
            VerificationStep.KEY, "no trusted key was given; get the public key from the control plane's operator"
        )
    return verification.run()
