"""Exit statuses: one table, shown by `mutx --help` and held by the documentation."""

from collections.abc import Mapping
from enum import IntEnum

from mutx.kit import errors
from mutx.kit.errors import MutxError


class Exit(IntEnum):
    OK = 0
    FAILURE = 1
    USAGE = 2
    DENIED = 3
    AUTH = 4
    UNREACHABLE = 5
    VERIFICATION_FAILED = 6
    VERIFICATION_INCOMPLETE = 7
    NOT_FOUND = 8
    CONFLICT = 9
    INTERRUPTED = 130


MEANING: Mapping[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILURE: "it did not work, or a check found something; the message says what",
    Exit.USAGE: "the command was used wrongly",
    Exit.DENIED: "an action was denied",
    Exit.AUTH: "not signed in, or not allowed to",
    Exit.UNREACHABLE: "the control plane gave no answer",
    Exit.VERIFICATION_FAILED: "a receipt does not verify",
    Exit.VERIFICATION_INCOMPLETE: "nothing is wrong, but what was given does not suffice to verify",
    Exit.NOT_FOUND: "no such thing, or not yours",
    Exit.CONFLICT: "the present state does not admit it",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}

STATUS: Mapping[type[MutxError], Exit] = {
    errors.AuthError: Exit.AUTH,
    errors.Unavailable: Exit.UNREACHABLE,
    errors.VerificationFailed: Exit.VERIFICATION_FAILED,
    errors.VerificationIncomplete: Exit.VERIFICATION_INCOMPLETE,
    errors.NotFound: Exit.NOT_FOUND,
    errors.Conflict: Exit.CONFLICT,
    MutxError: Exit.FAILURE,
}
"""The nearest class above an error counts."""


def exit_of(error: MutxError) -> Exit:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def exit_table() -> str:
    """For help texts."""
    return "\n".join(f"  {status.value:<4} {meaning}" for status, meaning in MEANING.items())
