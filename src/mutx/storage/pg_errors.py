"""What PostgreSQL's errors mean to whoever caused them. No text names a host, a statement or a value."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy.exc import DBAPIError

from mutx.kit.errors import InputError, MutxError, StorageFull, Unavailable

BAD_VALUE = ("22", "54")
"""Classes of SQLSTATEs for values that no column takes: too long, out of range, a NUL character."""

MEANING: Mapping[str, tuple[type[MutxError], str]] = MappingProxyType(
    {
        "53100": (StorageFull, "the database's disk is full; free space, then try again"),
        "53300": (Unavailable, "the database has no connection left; try again in a moment"),
        "55P03": (Unavailable, "the database is busy; try again in a moment"),
        "40001": (Unavailable, "another write came first; try again"),
        "40P01": (Unavailable, "another write came first; try again"),
        "25P03": (Unavailable, "the write took too long and was undone; try again"),
        "57014": (Unavailable, "the write took too long and was undone; try again"),
    }
)


def broken(error: DBAPIError) -> str:
    """The SQLSTATE, or how the connection failed."""
    return str(getattr(error.orig, "sqlstate", None) or type(error.orig).__name__)


def refusal(error: DBAPIError) -> MutxError:
    """What to raise instead."""
    state = broken(error)
    if state.startswith(BAD_VALUE) or "DataError" in _driver_error(error):
        return InputError("a value is too long, out of range, or holds a character that cannot be stored")
    known = MEANING.get(state)
    if known is not None:
        kind, says = known
        return kind(says)
    if error.connection_invalidated:
        return Unavailable(
            "the connection to the database broke; what was under way is undone or unknown: look, then try again"
        )
    return Unavailable("the database failed; see the server log, then try again")


def _driver_error(error: DBAPIError) -> str:
    cause = error.orig.__cause__ if error.orig is not None else None
    return type(cause).__name__
