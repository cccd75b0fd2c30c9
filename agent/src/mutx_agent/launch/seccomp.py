"""A seccomp filter: system calls that no agent's program needs and that lead out of the sandbox are refused."""

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mutx_agent.launch.bpf import (
    AND,
    ARCHITECTURE,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    JUMP_SET,
    LOAD,
    NUMBER,
    RETURN,
    Line,
    Step,
    argument,
    assemble,
)
from mutx_agent.launch.kernel import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, Libc

FILTER_MODE = 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
X32 = 0x40000000

NAMES = (
    "ptrace process_vm_readv process_vm_writev kexec_load kexec_file_load init_module finit_module delete_module mount umount2 "
    "pivot_root chroot swapon swapoff reboot setns unshare bpf perf_event_open add_key request_key keyctl userfaultfd "
    "open_by_handle_at pidfd_getfd move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr io_uring_setup clone3 "
    "clone socket sendto sendmsg sendmmsg ioctl acct settimeofday clock_settime quotactl"
).split()
NUMBERS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        # AUDIT_ARCH and the numbers of NAMES, in their order.
        "x86_64": (
            0xC000003E,
            "101 310 311 246 320 175 313 176 165 166 155 161 167 168 169 308 272 321 298 248 249 250 323 304 438 429 428 430 "
            "431 432 433 442 425 435 56 41 44 46 307 16 163 164 227 179",
        ),
        "aarch64": (
            0xC00000B7,
            "117 270 271 104 294 105 273 106 40 39 41 51 224 225 142 268 97 280 241 217 218 219 282 265 438 429 428 430 "
            "431 432 433 442 425 435 220 198 206 211 269 29 89 170 112 60",
        ),
    }
)
LOOKED_INTO = frozenset({"clone", "clone3", "socket", "sendto", "sendmsg", "sendmmsg", "ioctl", "io_uring_setup"})
"""Not refused as such, or with another error than `not permitted`."""
NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
FAST_OPEN = 0x20000000
"""MSG_FASTOPEN connects while sending, past the checks of `connect`."""
TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into the terminal, whose shell would run it outside."""
FLAGS_AT: Mapping[str, int] = MappingProxyType({"sendto": 3, "sendmsg": 2, "sendmmsg": 3})
FAMILIES = (socket.AF_UNIX, socket.AF_NETLINK)
INTERNET = (socket.AF_INET, socket.AF_INET6)


def filter_calls(libc: Libc, *, only_tcp: bool) -> None:
    """Install the filter for this process and all it will start. `only_tcp`: no other way onto the internet.

    Raises OSError where the kernel or the processor does not know it.
    """
    program = filter_program(os.uname().machine, only_tcp=only_tcp)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.c_char_p(header))


def filter_program(machine: str, *, only_tcp: bool) -> bytes:
    """The filter in the kernel's form. Raises OSError for a processor that is not in the table."""
    return assemble(_program(machine, only_tcp=only_tcp))


def _program(machine: str, *, only_tcp: bool) -> Iterator[Line]:
    if machine not in NUMBERS or sys.byteorder != "little":
        raise OSError(errno.ENOTSUP, f"no filter for a processor of kind {machine}")
    architecture, numbers = NUMBERS[machine]
    number = dict(zip(NAMES, map(int, numbers.split()), strict=True))
    yield Step(LOAD, ARCHITECTURE)
    yield Step(JUMP_EQUAL, architecture, no="refused")
    yield Step(LOAD, NUMBER)
    if machine == "x86_64":
        yield Step(JUMP_AT_LEAST, X32, yes="refused")
    for name in ("clone3", "io_uring_setup"):
        # As if the kernel were older: libraries then use what can be looked into.
        yield from _when(number[name], [_fail(errno.ENOSYS)])
    yield from _when(number["clone"], [Step(LOAD, argument(0)), Step(JUMP_SET, NAMESPACES, yes="refused")])
    typing = [Step(JUMP_EQUAL, request, yes="refused") for request in TERMINAL_INPUT]
    yield from _when(number["ioctl"], [Step(LOAD, argument(1)), *typing])
    if only_tcp:
        yield from _when(number["socket"], list(_sockets()))
        for name, at in FLAGS_AT.items():
            yield from _when(number[name], [Step(LOAD, argument(at)), Step(JUMP_SET, FAST_OPEN, yes="refused")])
    for name in NAMES:
        if name not in LOOKED_INTO:
            yield from _when(number[name], [_fail(errno.EPERM)])
    yield Step(RETURN, ALLOW)
    yield "refused"
    yield _fail(errno.EPERM)


def _when(number: int, steps: list[Line]) -> Iterator[Line]:
    """`steps` for this one system call; behind them the number is loaded again."""
    end = f"after {number}"
    yield Step(JUMP_EQUAL, number, no=end)
    yield from steps
    yield Step(LOAD, NUMBER)
    yield end


def _sockets() -> Iterator[Line]:
    yield Step(LOAD, argument(0))
    for family in FAMILIES:
        yield Step(JUMP_EQUAL, family, yes="socket allowed")
    for family in INTERNET:
        yield Step(JUMP_EQUAL, family, yes="internet")
    yield _fail(errno.EAFNOSUPPORT)
    yield "internet"
    yield Step(LOAD, argument(1))
    yield Step(AND, 0xF)
    yield Step(JUMP_EQUAL, socket.SOCK_STREAM, no="refused")
    yield Step(LOAD, argument(2))
    for protocol in (0, socket.IPPROTO_TCP):
        yield Step(JUMP_EQUAL, protocol, yes="socket allowed")
    yield _fail(errno.EPERM)
    yield "socket allowed"


def _fail(number: int) -> Step:
    return Step(RETURN, ERRNO | number)
