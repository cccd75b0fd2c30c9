"""The file that receipts travel in (docs/receipt-format.md §6). It has one byte form: any other byte is a finding."""

import json
from typing import Any

import msgspec
from msgspec import Struct

from mutx.governance.commitments import CommitmentOpening
from mutx.kit.canonical import canonical
from mutx.kit.errors import InputError, VerificationFailed

FORMAT = "mutx.receipts/1"
MAX_BYTES = 1 << 28
"""256 MiB: about 100 000 receipts. More go into several files."""
_SAFE_INTEGER = 2**53 - 1


class ExportFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An export as JSON values. Envelopes and keys are judged later, each with a finding of its own."""

    format: str
    receipts: tuple[dict[str, Any], ...]
    """Envelopes, session by session (sorted by workspace and session), each session in order."""
    keys: tuple[dict[str, Any], ...] = ()
    """Public keys as JWK. For information: a verifier trusts only the keys it was given."""
    head: dict[str, Any] | None = None
    """Envelope of the head statement."""
    values: dict[str, dict[str, CommitmentOpening]] = {}
    """What opens the commitments, by receipt id and slot; anything may be missing."""


def read_export(data: bytes) -> ExportFile:
    """Read the canonical form of an export, or that and a newline. Raises VerificationFailed."""
    if len(data) > MAX_BYTES:
        raise VerificationFailed(f"the file is larger than {MAX_BYTES} bytes; export fewer sessions at a time")
    try:
        value = json.loads(data.decode(), parse_int=_number)
        if canonical(value) != data.removesuffix(b"\n"):
            raise VerificationFailed("the file is not in canonical form (RFC 8785); use the bytes that were exported")
        found = msgspec.convert(value, ExportFile)
    except (ValueError, RecursionError, InputError, msgspec.ValidationError) as error:
        raise VerificationFailed(f"this is no export of receipts: {error}") from error
    if found.format != FORMAT:
        raise VerificationFailed(f"the file says format {found.format}; this verifier knows {FORMAT}")
    return found


def _number(digits: str) -> int | float:
    """JSON numbers are doubles: the canonical form of a large float has no fraction and no exponent."""
    number = int(digits)
    return number if abs(number) <= _SAFE_INTEGER else float(digits)
