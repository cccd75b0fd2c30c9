"""Every error a caller can meet, in one tree, each with a stable code and a text that says what to do.

    MutxError
      InputError            the request itself is wrong
        MalformedBody         not JSON, NaN, a duplicate key, nested too deep, a lone surrogate
        TooLarge              over a size limit
        RequestTooSlow        it did not arrive in time
        SupervisionValidationError  an agent that may not be started like this
        PolicyInvalid         a policy document that does not compile (the old version stays in force)
      AuthError             who you are
        Unauthenticated
        PermissionDenied
      NotFound              no such thing, or not yours (deliberately the same)
      Conflict              the state does not admit it
        ActionReused          the same action id with other content
        AlreadyResolved       an approval that is no longer pending
        PermitRefused         spent, expired, or not for these arguments
      RateLimited           slow down
      Unavailable           a dependency cannot answer; nothing was allowed
        LedgerUnavailable     no receipt could be written
        StorageFull           the disk, or the database's page limit, is full
        TimedOut              the answer was not ready in time
      SetupError            the installation is wrong
        KeyUnusable           a signing key is missing, unreadable or not a key
      VerificationFailed    a receipt does not verify
      VerificationIncomplete  what was given does not suffice to verify
      LedgerConflict        raised and handled between ledger and pipeline only
        HeadMoved, DuplicateAction, LimitMoved, RequestMoved

No class knows HTTP or exit statuses: `web/problems.py` and `cli/exits.py` hold one table each.
"""

from collections.abc import Mapping
from typing import Any


class MutxError(Exception):
    """Root of the tree. `str(error)` is safe to show to whoever caused it."""

    code = "internal_error"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = dict(details or {})


class InputError(MutxError):
    code = "invalid_input"


class MalformedBody(InputError):
    code = "malformed_body"


class TooLarge(InputError):
    code = "too_large"


class RequestTooSlow(InputError):
    code = "request_too_slow"


class PolicyInvalid(InputError):
    code = "policy_invalid"


class SupervisionValidationError(InputError):
    code = "supervision_invalid"


class AuthError(MutxError):
    code = "auth_error"


class Unauthenticated(AuthError):
    code = "unauthenticated"


class PermissionDenied(AuthError):
    code = "permission_denied"


class NotFound(MutxError):
    code = "not_found"


class Conflict(MutxError):
    code = "conflict"


class ActionReused(Conflict):
    code = "action_reused"


class AlreadyResolved(Conflict):
    code = "already_resolved"


class PermitRefused(Conflict):
    code = "permit_refused"


class RateLimited(MutxError):
    code = "rate_limited"


class Unavailable(MutxError):
    code = "unavailable"


class LedgerUnavailable(Unavailable):
    code = "ledger_unavailable"


class StorageFull(Unavailable):
    code = "storage_full"


class TimedOut(Unavailable):
    code = "timed_out"


class SetupError(MutxError):
    code = "setup_error"


class KeyUnusable(SetupError):
    code = "key_unusable"


class VerificationFailed(MutxError):
    code = "verification_failed"


class VerificationIncomplete(MutxError):
    code = "verification_incomplete"


class LedgerConflict(MutxError):
    code = "ledger_conflict"


class HeadMoved(LedgerConflict):
    """The session's head is not the one this turn was decided on: load again and decide again."""

    code = "head_moved"


class DuplicateAction(LedgerConflict):
    """A decision for this action id is already on record."""

    code = "duplicate_action"


class LimitMoved(LedgerConflict):
    """A charge would pass its limit by what other writers charged meanwhile: decide again."""

    code = "limit_moved"


class RequestMoved(LedgerConflict):
    """Another writer changed the approval request first: read it again."""

    code = "request_moved"


def _tree(root: type[MutxError]) -> dict[str, type[MutxError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


BY_CODE: Mapping[str, type[MutxError]] = _tree(MutxError)
"""Stable code -> class, so that a client raises what the server meant."""
