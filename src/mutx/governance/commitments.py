"""Salted commitments: what a receipt says of a value that does not stand in it (docs/receipt-format.md §4).

A commitment binds a value to one place of a receipt, its slot. Who has salt and value can check it; once both are
erased it tells nothing, not even to someone who guesses the value, and the receipt still verifies.
"""

import os
from typing import Any

from msgspec import Struct

from mutx.kit.canonical import canonical, sha256_hex

SALT_SIZE = 16

ARGS = "action.args"
ACTION_HASH = "action.hash"
MODIFIED = "decision.modified"
PERMIT_ARGS = "permit.args_hash"
RESULT = "outcome.result"
ERROR = "outcome.error"


def critical_slot(index: int) -> str:
    """Slot of the value of the `index`-th critical argument."""
    return f"decision.critical.{index}"


class CommitmentOpening(Struct, frozen=True, forbid_unknown_fields=True):
    """What opens a commitment."""

    salt: str
    """16 bytes as 32 hex digits."""
    value: Any


def new_salt() -> bytes:
    return os.urandom(SALT_SIZE)


def commit(slot: str, salt: bytes, value: Any) -> str:
    """SHA-256 in hex. Raises InputError for what JSON cannot hold."""
    return sha256_hex(b"mutx.commitment.v1/%b\0%b%b" % (slot.encode(), salt, canonical(value)))


def opens(slot: str, commitment: str, opening: CommitmentOpening) -> bool:
    """Whether this salt and value are what was committed to. Never raises for what was read from a file."""
    try:
        salt = bytes.fromhex(opening.salt)
    except ValueError:
        return False
    return salt.hex() == opening.salt and len(salt) == SALT_SIZE and commit(slot, salt, opening.value) == commitment
