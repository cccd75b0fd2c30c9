"""What the kernel is asked to hold, it holds; where it offers something less, the layers say so."""

import os
import struct
from pathlib import Path

import pytest

from mutx_agent.launch.bpf import JUMP_EQUAL, LOAD, RETURN, Step, assemble
from mutx_agent.launch.kernel import Libc
from mutx_agent.launch.landlock import landlock_version, without
from mutx_agent.launch.seccomp import NAMES, NUMBERS, filter_program
from tests.agent.launch.conftest import Alone

TRY = """
def tried(what, *args):
    try: what(*args)
    except OSError as error: return error.errno
    return 0
"""
CONFINE = (
    TRY
    + """
from mutx_agent.launch import kernel
from mutx_agent.launch.landlock import FileRules
from mutx_agent.launch.shim import Plan, confine
SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/bin", "/opt", sys.prefix, sys.base_prefix)
libc = kernel.Libc()
"""
)


def landlock() -> int:
    try:
        return landlock_version(Libc())
    except OSError:
        return 0


needs_landlock = pytest.mark.skipif(landlock() < 4, reason="the kernel offers no Landlock that holds ports")


@needs_landlock
def test_files_are_held(alone: Alone, tmp_path: Path) -> None:
    inside, hidden, outside = tmp_path / "in", tmp_path / "in" / "hidden", tmp_path / "out"
    for folder in (inside, hidden, outside):
        folder.mkdir()
        (folder / "file").write_text("x")
    got = alone(
        CONFINE + "rules = FileRules(read=SYSTEM, write=(names['inside'], ROOT), devices=('/dev/null',), "
        "hidden=(names['hidden'],))\n"
        "layers = confine(libc, Plan(files=rules)).layers\n"
        "say([layers, tried(open, names['inside'] + '/file', 'w'), tried(open, names['hidden'] + '/file'), "
        "tried(open, names['outside'] + '/file'), tried(open, names['outside'] + '/new', 'w'), "
        "tried(open, '/dev/null', 'w'), tried(os.kill, os.getppid(), 0)])",
        inside=str(inside),
        hidden=str(hidden),
        outside=str(outside),
    )
    [name, state, detail], *_ = got[0]
    assert (name, state) == ("files", "holds")
    assert "nothing new directly in it" in detail
    assert got[1:6] == [0, 13, 13, 13, 0]
    assert got[6] == (1 if landlock() >= 6 else 0), "signals to processes outside are refused from version 6 on"


@needs_landlock
def test_without_a_network_of_its_own_only_the_gateways_port_is_left(alone: Alone) -> None:
    got = alone(
        CONFINE + "gate, other = (socket.create_server(('127.0.0.1', 0)) for _ in range(2))\n"
        "def to(server): socket.create_connection(server.getsockname(), 5).close()\n"
        "port = gate.getsockname()[1]\n"
        "plan = Plan(files=FileRules(read=SYSTEM, write=(ROOT,)), syscalls=True, gateway_port=port)\n"
        "layers = confine(libc, plan).layers\n"
        "udp = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "vsock = lambda: socket.socket(40, socket.SOCK_STREAM)\n"
        "multipath = lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)\n"
        "unix = lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "fast = lambda: socket.socket().sendto(b'x', 0x20000000, other.getsockname())\n"
        "say([layers, tried(to, gate), tried(to, other), tried(udp), tried(vsock), tried(multipath), tried(unix), tried(fast)])"
    )
    network = {name: (state, detail) for name, state, detail in got[0]}["network"]
    assert network[0] == "partly"
    assert "TCP only" in network[1]
    assert got[1:] == [0, 13, 1, 97, 1, 0, 1]


def test_system_calls_that_lead_out_are_refused(alone: Alone) -> None:
    got = alone(
        CONFINE + "import ctypes, fcntl, threading, subprocess\n"
        "layers = confine(libc, Plan(syscalls=True)).layers\n"
        "thread = threading.Thread(target=lambda: None); thread.start(); thread.join()\n"
        "subprocess.run(['true'], check=True)\n"
        "say([layers, tried(libc.unshare, 0x10000000), tried(libc.syscall, 425, 1, None), tried(libc.syscall, 435, None, 0), "
        "tried(libc.syscall, 56, 0x10000000 | 17, 0, 0, 0, 0), tried(fcntl.ioctl, 0, 0x5412, b'x'), "
        "tried(libc.mount, 'tmpfs', '/mnt', 0, '')])"
    )
    if got[0][0][1] == "off":
        pytest.skip(got[0][0][2])
    assert got[1:] == [1, 38, 38, 1, 1, 1]


def test_a_network_of_its_own_holds_only_the_gateway(alone: Alone, tmp_path: Path) -> None:
    (tmp_path / "covered").mkdir()
    (tmp_path / "covered" / "thing").write_text("x")
    got = alone(
        CONFINE + "outside = socket.create_server(('127.0.0.1', 0))\n"
        "plan = Plan(gateway_port=1, apart=True, covered=(names['covered'],))\n"
        "confinement = confine(libc, plan)\n"
        "def to(server): socket.create_connection(server.getsockname(), 5).close()\n"
        "listener = confinement.listener\n"
        "say([confinement.layers, tried(to, outside), listener and tried(to, listener), os.listdir(names['covered'])])",
        covered=str(tmp_path / "covered"),
    )
    layers = {name: state for name, state, _ in got[0]}
    if got[2] is None:
        assert layers == {"services": "off", "network": "off"}
    else:
        assert layers == {"services": "holds", "network": "holds"}
        assert got[1:] == [111, 0, []]


def test_layers_that_the_kernel_does_not_offer_are_reported_off(alone: Alone) -> None:
    got = alone(
        CONFINE + "class Refusing(kernel.Libc):\n"
        "    def _checked(self, name, *args): raise OSError(38, 'Function not implemented')\n"
        "rules = FileRules(read=SYSTEM, write=(ROOT,))\n"
        "plan = Plan(files=rules, syscalls=True, gateway_port=1, apart=True, covered=('/mnt',))\n"
        "say(confine(Refusing(), plan).layers)"
    )
    assert {name: state for name, state, _ in got} == dict.fromkeys(("services", "files", "syscalls", "network"), "off")
    assert all("here" in detail for _, _, detail in got)


@needs_landlock
def test_older_kernels_are_asked_for_less(alone: Alone) -> None:
    """Landlock 1 to 3 know no ports, and the network layer says what follows."""
    got = alone(
        CONFINE + "import mutx_agent.launch.landlock as landlock\n"
        "landlock.landlock_version = lambda libc: 3\n"
        "plan = Plan(files=FileRules(read=SYSTEM, write=(ROOT,)), gateway_port=1)\n"
        "say(confine(libc, plan).layers)"
    )
    assert {name: state for name, state, _ in got} == {"files": "holds", "network": "off"}


def test_the_program_ends_with_its_launcher(alone: Alone) -> None:
    got = alone(
        "import signal, time\nfrom mutx_agent.launch.kernel import Libc, die_with_parent\n"
        "reader, writer = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        die_with_parent(Libc(), os.getppid(), signal.SIGTERM)\n"
        "        os.write(writer, b'%d' % os.getpid())\n"
        "        time.sleep(60)\n"
        "    os.close(writer); time.sleep(0.2)\n"
        "    os._exit(0)\n"
        "os.close(writer)\n"
        "pid = os.read(reader, 100)\n"
        "say([pid.isdigit(), os.read(reader, 1) == b''])"
    )
    assert got == [True, True]


def test_a_launcher_that_has_ended_is_noticed() -> None:
    from mutx_agent.launch.kernel import die_with_parent

    with pytest.raises(ProcessLookupError):
        die_with_parent(Libc(), 1 if os.getppid() != 1 else 2, 0)


def test_what_is_hidden_is_left_out_by_granting_its_neighbours(tmp_path: Path) -> None:
    for name in ("a", "b/secret", "b/c"):
        (tmp_path / name).mkdir(parents=True)
    parts = list(without(str(tmp_path), [str(tmp_path / "b" / "secret")]))
    assert parts == [str(tmp_path / "a"), str(tmp_path / "b" / "c")]
    assert list(without(str(tmp_path / "b" / "secret"), [str(tmp_path / "b")])) == []
    assert list(without(str(tmp_path), [str(tmp_path)])) == []
    assert list(without(str(tmp_path), ["/elsewhere"])) == [str(tmp_path)]


def test_filters_are_assembled() -> None:
    program = assemble([Step(LOAD, 0), Step(JUMP_EQUAL, 5, yes="end"), Step(RETURN, 1), "end", Step(RETURN, 2)])
    assert [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)] == [
        (0x20, 0, 0, 0),
        (0x15, 1, 0, 5),
        (6, 0, 0, 1),
        (6, 0, 0, 2),
    ]


@pytest.mark.parametrize("machine", list(NUMBERS))
def test_every_processor_has_every_number(machine: str) -> None:
    assert len(NUMBERS[machine][1].split()) == len(NAMES)
    assert len(filter_program(machine, only_tcp=True)) > len(filter_program(machine, only_tcp=False))


def test_a_processor_that_nobody_looked_up_has_no_filter() -> None:
    with pytest.raises(OSError, match="no filter for a processor of kind vax"):
        filter_program("vax", only_tcp=True)


BECOME = """
import signal
from mutx_agent.launch.shim import Plan, become
def started(*command):
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        become(list(command), Plan(), theirs, os.getppid())
    theirs.close()
    layers = json.loads(ours.makefile("rb").readline())["layers"]
    ours.sendall(json.dumps({"PATH": os.environ["PATH"], "GIVEN": "7"}).encode() + b"\\n")
    return [layers, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]
"""


def test_a_child_becomes_the_program_or_says_why_not(alone: Alone, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    got = alone(BECOME + "say([started('sh', '-c', 'exit $GIVEN'), started('no-such-program'), started('./plain')])")
    assert got == [[[], 7], [[], 127], [[], 126]]


@pytest.mark.skipif(os.geteuid() != 0, reason="others have no right to take away")
def test_without_the_right_to_namespaces_a_user_of_ones_own_is_tried(alone: Alone, tmp_path: Path) -> None:
    (tmp_path / "covered").mkdir()
    (tmp_path / "covered" / "thing").write_text("x")
    got = alone(
        CONFINE + "import ctypes\n"
        "CAPSET = {'x86_64': 126}.get(os.uname().machine, 91)\n"
        "header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
        "libc.syscall(CAPSET - 1, ctypes.addressof(header), ctypes.addressof(rights))\n"
        "rights[0] &= ~(1 << 21)\n"
        "libc.syscall(CAPSET, ctypes.addressof(header), ctypes.addressof(rights))\n"
        "layers = confine(libc, Plan(covered=(names['covered'],))).layers\n"
        "alone = confine(libc, Plan(gateway_port=1, apart=True)).layers\n"
        "say([layers, os.listdir(names['covered']), alone])",
        covered=str(tmp_path / "covered"),
    )
    [[_, state, _]], seen, [[_, apart, _]] = got
    assert (state, seen, apart) in (("holds", [], "holds"), ("off", ["thing"], "off"))
