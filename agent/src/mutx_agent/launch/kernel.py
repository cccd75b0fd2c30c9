"""System calls that Python does not wrap."""

import ctypes
import os
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = (
    1,
    4,
    22,
    24,
    36,
    38,
)


class Libc:
    """The C library. Its calls raise OSError where C reports -1."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._library.syscall.restype = ctypes.c_long

    def syscall(self, number: int, *args: Any) -> int:
        return self._checked("syscall", ctypes.c_long(number), *map(_wide, args))

    def prctl(self, option: int, *args: Any) -> int:
        padded = (*args, 0, 0, 0, 0)[:4]
        return self._checked("prctl", ctypes.c_int(option), *map(_wide, padded))

    def unshare(self, flags: int) -> int:
        return self._checked("unshare", ctypes.c_int(flags))

    def mount(self, kind: str, place: str, flags: int, options: str) -> int:
        texts = (ctypes.c_char_p(os.fsencode(one)) for one in ("none", place, kind))
        return self._checked("mount", *texts, ctypes.c_ulong(flags), ctypes.c_char_p(options.encode()))

    def _checked(self, name: str, *args: Any) -> int:
        answer: int = getattr(self._library, name)(*args)
        if answer == -1:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return answer


def _wide(value: Any) -> Any:
    """Integers as the registers hold them; a plain C int would leave the upper half to chance."""
    return ctypes.c_ulong(value) if isinstance(value, int) else value


def die_with_parent(libc: Libc, parent: int, number: int) -> None:
    """Ask for a signal when the parent ends, however it ends. Raises OSError if it has ended already."""
    libc.prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise ProcessLookupError("the launcher has ended")
