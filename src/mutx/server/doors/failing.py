"""What every door does when something breaks that nobody foresaw: log it, and answer with an error."""

from types import TracebackType

import structlog

from mutx.kit.errors import MutxError
from mutx.web.problems import INTERNAL

log = structlog.stdlib.get_logger("mutx.door")


class FailClosed:
    """A block that raises MutxError and nothing else: whatever breaks, the agent gets an error, never a permission.

    Errors that are ours pass as they are. Any other is logged with its traceback and rises as `internal_error` without
    its text, which may hold a secret. Cancellation and the interpreter's exit pass. One object serves all calls of a door.
    """

    def __init__(self, door: str) -> None:
        self._door = door

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, Exception) and not isinstance(error, MutxError):
            log.error("a door failed", door=self._door, exc_info=error)
            raise MutxError(INTERNAL) from error
