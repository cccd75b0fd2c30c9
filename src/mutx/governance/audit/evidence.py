"""The audit log as a file of evidence: JSON Lines, each line in RFC 8785 form.

{"format": "mutx.audit/1", "workspace": ..., "at": ..., "keys": [JWK ...]}     first; the keys are for information
{"entry": LINK, "salt": ..., "content": ...}                                  the workspace's chain, in order
{"entry": LINK}                                                               its content was left out or erased
{"receipt": ENVELOPE}                                                         governed actions, session by session
{"head": {"entries": ENVELOPE, "sessions": ENVELOPE}}                         last: where every chain ends, signed
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from mutx.governance.audit.entry import AuditLink
from mutx.governance.keys import PublicKey
from mutx.governance.receipt_body import At
from mutx.kit.canonical import canonical
from mutx.kit.clock import rfc3339
from mutx.kit.errors import InputError, VerificationFailed

EVIDENCE_FORMAT = "mutx.audit/1"
MAX_EVIDENCE_BYTES = 1 << 28
"""256 MiB."""


class EvidenceHeads(Struct, frozen=True, forbid_unknown_fields=True):
    """Envelopes. `entries` is null for a workspace without entries."""

    entries: dict[str, Any] | None
    sessions: dict[str, Any]


class EvidenceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any one line; which kind it is, its members say."""

    format: str | None = None
    workspace: str | None = None
    at: At | None = None
    keys: tuple[dict[str, Any], ...] = ()
    entry: AuditLink | None = None
    salt: str | None = None
    content: dict[str, Any] | None = None
    receipt: dict[str, Any] | None = None
    head: EvidenceHeads | None = None


def header_line(workspace: str, at: float, keys: Iterable[PublicKey]) -> bytes:
    """`at`: seconds."""
    known = [key.jwk() for key in keys]
    return _line({"format": EVIDENCE_FORMAT, "workspace": workspace, "at": rfc3339(at), "keys": known})


def entry_line(link: AuditLink, opened: tuple[str, dict[str, Any]] | None) -> bytes:
    """`opened`: salt and content; None leaves them out."""
    line: dict[str, Any] = {"entry": msgspec.to_builtins(link)}
    return _line(line if opened is None else line | {"salt": opened[0], "content": opened[1]})


def receipt_line(envelope: bytes) -> bytes:
    return _line({"receipt": msgspec.json.decode(envelope)})


def head_line(entries: bytes | None, sessions: bytes) -> bytes:
    """`entries`: the workspace's signed audit head; `sessions`: a signed statement of `governance.statement`."""
    decode = msgspec.json.decode
    return _line({"head": {"entries": None if entries is None else decode(entries), "sessions": decode(sessions)}})


def read_lines(data: bytes) -> Iterator[EvidenceLine]:
    """Every line, header and head included. Raises VerificationFailed, naming the line."""
    if len(data) > MAX_EVIDENCE_BYTES:
        raise VerificationFailed(f"the file is larger than {MAX_EVIDENCE_BYTES} bytes; export a shorter time at once")
    for number, line in enumerate(data.rstrip(b"\n").split(b"\n"), 1):
        try:
            value = msgspec.json.decode(line)
            if canonical(value) != line:
                raise VerificationFailed(f"line {number} is not in canonical form (RFC 8785); use the exported bytes")
            yield msgspec.convert(value, EvidenceLine)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InputError) as error:
            raise VerificationFailed(f"line {number} is no line of an audit export: {error}") from error


def _line(value: dict[str, Any]) -> bytes:
    return canonical(value) + b"\n"
