"""Salted commitments: what a receipt says of a value that does not stand in it (docs/receipt-format.md §4).

A commitment binds a value to one place of a receipt, its slot. Who has salt and value can check it; once both are
erased it tells nothing, not even to someone who guesses the value, and the receipt still verifies.
"""

import os
from functools import lru_cache
from typing import Any

from msgspec import Struct

from mutx.kit.canonical import canonical, sha256_hex

SALT_SIZE = 16
SALTS_AT_ONCE = 256

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


class Salts:
    """Fresh random salts, drawn from the kernel many at a time.

    Each system call lets another thread take the interpreter, and under load it is long until it comes back.
    """

    def __init__(self) -> None:
        self._drawn: list[bytes] = []

    def new(self) -> bytes:
        if not self._drawn:
            block = os.urandom(SALT_SIZE * SALTS_AT_ONCE)
            self._drawn = [block[at : at + SALT_SIZE] for at in range(0, len(block), SALT_SIZE)]
        return self._drawn.pop()


def commit(slot: str, salt: bytes, value: Any) -> str:
    """SHA-256 in hex. Raises InputError for what JSON cannot hold."""
    return sha256_hex(b"%b%b%b" % (_begin(slot), salt, canonical(value)))


@lru_cache(maxsize=64)
def _begin(slot: str) -> bytes:
    return b"mutx.commitment.v1/%b\0" % slot.encode()


def opens(slot: str, commitment: str, opening: CommitmentOpening) -> bool:
    """Whether this salt and value are what was committed to. Never raises for what was read from a file."""
    try:
        salt = bytes.fromhex(opening.salt)
    except ValueError:
        return False
    return salt.hex() == opening.salt and len(salt) == SALT_SIZE and commit(slot, salt, opening.value) == commitment
