"""Between fork and exec: the child confines itself, reports what holds, waits for leave, and becomes the program."""

import json
import os
import signal
import socket
import sys
from functools import partial
from typing import Any, NamedTuple, NoReturn

from mutx_agent.launch import kernel
from mutx_agent.launch.landlock import FileRules, PortRules, restrict, without
from mutx_agent.launch.namespaces import cover, enter, open_listener
from mutx_agent.launch.order import REFUSED
from mutx_agent.launch.seccomp import filter_calls

HOLDS, PARTLY, OFF = "holds", "partly", "off"
CANNOT_RUN, NOT_FOUND = 126, 127
CAPABILITIES = (2, 3, 12, 13, 16, 17, 18, 19, 21, 22, 25, 26, 27, 30, 32, 33, 34, 35, 37, 38, 39, 40)
"""Dropped: DAC_READ_SEARCH, FOWNER, NET_ADMIN, NET_RAW, SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN, SYS_BOOT,
SYS_TIME, SYS_TTY_CONFIG, MKNOD, AUDIT_CONTROL, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM, AUDIT_READ, PERFMON, BPF and
CHECKPOINT_RESTORE: for a program that runs as root."""


class Plan(NamedTuple):
    """What is to be put on."""

    files: FileRules | None = None
    syscalls: bool = False
    gateway_port: int | None = None
    """Where the egress gateway listens on the machine's own loopback; None: the network is left alone."""
    apart: bool = False
    """Whether a network of its own is tried."""
    covered: tuple[str, ...] = ()
    """Folders to be covered in mounts of its own, because Landlock does not keep anyone from the sockets in them."""
    local_ports: tuple[int, ...] = ()


class Confinement(NamedTuple):
    """What holds: `(layer, state, detail)` of each, and the gateway's socket if it is in a network of its own."""

    layers: list[tuple[str, str, str]]
    listener: socket.socket | None


def become(command: list[str], plan: Plan, channel: socket.socket, parent: int) -> NoReturn:
    """Never returns: the program runs, or the process ends with a status that says why not."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    libc = kernel.Libc()
    kernel.die_with_parent(libc, parent, signal.SIGTERM)
    confinement = confine(libc, plan)
    _report(channel, confinement)
    told = channel.makefile("rb").readline()
    if not told:
        os._exit(REFUSED)
    environment: dict[str, str] = json.loads(told)
    channel.close()
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - the user's own command
    except OSError as error:
        sys.stderr.write(f"mutx run: {command[0]}: {error.strerror}\n")
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN)


def _report(channel: socket.socket, confinement: Confinement) -> None:
    listener = confinement.listener
    port = listener.getsockname()[1] if listener is not None else None
    line = json.dumps({"layers": confinement.layers, "port": port}).encode() + b"\n"
    socket.send_fds(channel, [line], [listener.fileno()] if listener is not None else [])


def confine(libc: kernel.Libc, plan: Plan) -> Confinement:
    """Put on every layer of the plan that the kernel offers; say of each one what it is worth."""
    layers: list[tuple[str, str, str]] = []
    listener, alone = _namespaces(libc, plan, layers)
    version = _files(libc, plan, listener, layers)
    filtered = _syscalls(libc, plan, listener, layers)
    if plan.gateway_port is not None:
        layers.append(("network", *_network(listener is not None, version, filtered, alone)))
    return Confinement(layers, listener)


def _namespaces(libc: kernel.Libc, plan: Plan, layers: list[Any]) -> tuple[socket.socket | None, str]:
    """The gateway's socket in a network of its own, or why there is none."""
    network, mounts = plan.gateway_port is not None and plan.apart, bool(plan.covered)
    listener = None
    try:
        if network or mounts:
            enter(libc, network=network, mounts=mounts)
        if network:
            listener = open_listener()
        if mounts:
            cover(libc, plan.covered)
            layers.append(("services", HOLDS, f"Unix sockets in {', '.join(plan.covered)} are out of sight"))
    except OSError as error:
        why = f"no namespaces here ({error.strerror})"
        if mounts:
            layers.append(
                ("services", OFF, f"{why}: the program can talk to Unix sockets of your user, such as Docker's")
            )
        return listener, why
    return listener, ""


def _files(libc: kernel.Libc, plan: Plan, listener: socket.socket | None, layers: list[Any]) -> int:
    """Landlock. Returns its version, 0 where it does not hold."""
    if plan.files is None:
        return 0
    ports = None
    if plan.gateway_port is not None and listener is None:
        ports = PortRules(connect=(plan.gateway_port, *plan.local_ports), bind=plan.local_ports)
    try:
        version = restrict(libc, plan.files, ports)
    except OSError as error:
        layers.append(("files", OFF, f"the kernel offers no Landlock here ({error.strerror})"))
        return 0
    write = ", ".join(map(partial(_writable, hidden=plan.files.hidden), plan.files.write))
    layers.append(
        (
            "files",
            HOLDS,
            f"Landlock {version}: writes only in {write}; reads only there, in the system's and Python's folders",
        )
    )
    return version


def _writable(path: str, hidden: tuple[str, ...]) -> str:
    """How far it is writable: beside something hidden, only what is there already can be granted."""
    whole = list(without(path, hidden)) == [os.path.realpath(path)]
    return path if whole else f"{path} (nothing new directly in it, because something hidden lies there)"


def _syscalls(libc: kernel.Libc, plan: Plan, listener: socket.socket | None, layers: list[Any]) -> bool:
    if not plan.syscalls:
        return False
    try:
        if os.geteuid() == 0:
            for capability in CAPABILITIES:
                libc.prctl(kernel.PR_CAPBSET_DROP, capability)
        filter_calls(libc, only_tcp=plan.gateway_port is not None and listener is None)
    except OSError as error:
        layers.append(("syscalls", OFF, f"the kernel takes no seccomp filter here ({error.strerror})"))
        return False
    layers.append(("syscalls", HOLDS, "seccomp: no ptrace, mounts, namespaces, modules, keys, io_uring or bpf"))
    return True


def _network(apart: bool, version: int, filtered: bool, why: str) -> tuple[str, str]:
    if apart:
        return HOLDS, "a network of its own with nothing in it but the egress gateway"
    because = f"{why}; " if why else ""
    if version >= 4 and filtered:
        return (
            PARTLY,
            f"{because}TCP only, and only to the gateway's port number (of any address); nothing else of the internet",
        )
    if version >= 4:
        return PARTLY, f"{because}TCP only to the gateway's port number; other protocols are open"
    return (
        OFF,
        f"{because}the kernel's Landlock cannot hold ports; programs that ignore the proxy variables go past the gateway",
    )
