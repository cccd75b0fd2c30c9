"""What a verification found: a verdict, and for each finding where and at which step."""

from enum import IntEnum, StrEnum

from msgspec import Struct

from mutx.kit.errors import VerificationFailed, VerificationIncomplete


class VerificationVerdict(StrEnum):
    VERIFIED = "verified"
    INCOMPLETE = "incomplete"
    """Nothing is wrong, but what was given does not suffice to say that all is right."""
    FAILED = "failed"


class VerificationStep(IntEnum):
    """The numbered steps of docs/receipt-format.md §7."""

    FILE = 1
    ENVELOPE = 2
    KEY = 3
    SIGNATURE = 4
    BODY = 5
    VALIDITY = 6
    LINK = 7
    VALUES = 8
    HEAD = 9


class VerificationFinding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong or missing."""

    verdict: VerificationVerdict
    step: VerificationStep
    message: str
    position: int | None = None
    """1-based place of the receipt in what was given."""
    receipt_id: str | None = None
    """As the receipt names itself; None where that cannot be read."""
    session_id: str | None = None

    def __str__(self) -> str:
        where = f"receipt {self.receipt_id or '(unreadable)'} at position {self.position}: " if self.position else ""
        session = f"session {self.session_id}: " if self.session_id and not self.position else ""
        return f"step {self.step.value} ({self.step.name.lower()}): {where}{session}{self.message}"


class VerifiedSession(Struct, frozen=True, kw_only=True):
    """A session whose receipts hold together."""

    workspace_id: str
    session_id: str
    count: int
    head: str


class VerificationReport(Struct, frozen=True, kw_only=True):
    """The outcome of a verification. Only `verified` is good."""

    findings: tuple[VerificationFinding, ...] = ()
    receipts: int = 0
    sessions: tuple[VerifiedSession, ...] = ()
    stated_at: str | None = None
    """When the signed head was made: later receipts may exist."""

    @property
    def verdict(self) -> VerificationVerdict:
        found = {finding.verdict for finding in self.findings}
        if VerificationVerdict.FAILED in found:
            return VerificationVerdict.FAILED
        return VerificationVerdict.INCOMPLETE if found else VerificationVerdict.VERIFIED

    def require(self) -> None:
        """Raises VerificationFailed or VerificationIncomplete unless the verdict is `verified`."""
        text = "; ".join(str(finding) for finding in self.findings if finding.verdict is self.verdict)
        if self.verdict is VerificationVerdict.FAILED:
            raise VerificationFailed(text)
        if self.verdict is VerificationVerdict.INCOMPLETE:
            raise VerificationIncomplete(text)
