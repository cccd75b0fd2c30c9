"""Ways to say who one is. One principal comes out of all of them: a `Caller`.

A source knows its credentials by their form, verifies them against what it trusts, and answers later whether whoever it
vouched for still stands. The server asks its sources in order; the first that recognises a credential decides about it.
"""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from mutx.governance.types import Caller


class Verified(Struct, frozen=True):
    """Who a credential belongs to, and until when it says so (seconds since the epoch; None: until it is revoked)."""

    caller: Caller
    expires_at: float | None


class IdentitySource(Protocol):
    """One kind of credential. Implemented by slices (their tables say who people and keys are)."""

    methods: frozenset[str]
    """`Caller.method` of the callers it vouches for; no other source has these."""

    def recognises(self, credential: str) -> bool:
        """Whether a credential is of this kind, by its form alone: no I/O, never raises, whatever the text is."""

    async def verify(self, credential: str) -> Verified:
        """Raises Unauthenticated for what is unknown, expired or revoked; the text never quotes the credential."""

    async def current(self, caller: Caller) -> Caller | None:
        """A caller of this source with today's roles and scopes; None once it was revoked."""


@runtime_checkable
class Closing(Protocol):
    """A source that holds a connection."""

    def close(self) -> None:
        """Let go of it. Blocks for a moment."""
