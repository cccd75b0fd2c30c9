"""A small assembler for classic BPF, the language of seccomp filters (seccomp(2))."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET = 0x15, 0x35, 0x45
NUMBER, ARCHITECTURE = 0, 4
"""Offsets in `struct seccomp_data`."""


class Step(NamedTuple):
    """One instruction. Jumps name labels; an empty label is the next instruction."""

    code: int
    value: int
    yes: str = ""
    no: str = ""


Line = Step | str
"""An instruction, or a label that names the one behind it."""


def argument(index: int) -> int:
    """The offset of the lower half of a system call's argument, on a little-endian machine."""
    return 16 + 8 * index


def assemble(lines: Iterable[Line]) -> bytes:
    """The program as the kernel takes it: `struct sock_filter[]`. Raises KeyError for a label that is nowhere."""
    places: dict[str, int] = {}
    steps: list[Step] = []
    for line in lines:
        if isinstance(line, str):
            places[line] = len(steps)
        else:
            steps.append(line)
    return b"".join(
        struct.pack("HBBI", step.code, _jump(step.yes, at, places), _jump(step.no, at, places), step.value)
        for at, step in enumerate(steps)
    )


def _jump(label: str, at: int, places: dict[str, int]) -> int:
    return places[label] - at - 1 if label else 0
