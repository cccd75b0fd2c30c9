"""What the program may read and write: its own folder, and what systems and Pythons need to run anything."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shutil import which

from mutx_agent.launch.landlock import FileRules
from mutx_agent.launch.order import PACKAGE

SYSTEM = "/usr /bin /sbin /lib /lib32 /lib64 /libx32 /etc /opt /nix /gnu /proc /sys /snap/bin /var/lib/ca-certificates".split()
DEVICES = "null zero full random urandom tty ptmx pts fd stdin stdout stderr".split()
SERVICES = "/run"
"""Where the daemons of a machine and of a user's session have their sockets."""
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - semaphores of multiprocessing live there
LINKS = 8
"""That are followed from a command to the Python behind it."""
CREDENTIALS = (
    ".ssh .aws .azure .gnupg .kube .docker .netrc .pgpass .git-credentials .config/gcloud .config/gh .mutx".split()
)
"""Below the user's home: hidden, also where the program may read or write around them."""
CONFIGURED_ELSEWHERE = ("/etc/resolv.conf", "/etc/localtime", "/etc/ssl/certs")
"""Links that may lead out of /etc."""


def file_rules(
    command: str,
    scratch: Path,
    read: Iterable[Path],
    write: Iterable[Path],
    hidden: Iterable[Path],
    env: Mapping[str, str],
) -> FileRules:
    """`scratch`: the run's own folder for temporary files."""
    writable = [str(scratch), SHARED_MEMORY, str(Path.cwd()), *map(_absolute, write)]
    asked = {_absolute(path) for path in (*read, *write)}
    home = Path(env.get("HOME") or Path.home())
    secret = [name for name in (str(home / one) for one in CREDENTIALS) if name not in asked]
    readable = [*SYSTEM, PACKAGE, *_interpreter(command, env), *_search_path(env), *map(_absolute, read)]
    readable += [os.path.realpath(link) for link in CONFIGURED_ELSEWHERE]
    return FileRules(
        read=tuple(dict.fromkeys(readable)),
        write=tuple(dict.fromkeys(writable)),
        devices=tuple(f"/dev/{name}" for name in DEVICES),
        hidden=(*map(_absolute, hidden), *secret),
    )


def covered(rules: FileRules) -> tuple[str, ...]:
    """Folders whose sockets lead out of the sandbox: the services' own, and what is hidden anyway. Not where something
    writable lies in one, because that would be covered as well."""
    wanted = (os.path.realpath(path) for path in (SERVICES, *rules.hidden))
    needed = [os.path.realpath(path) for path in rules.write]
    folders = [
        path for path in wanted if Path(path).is_dir() and not any(f"{one}/".startswith(f"{path}/") for one in needed)
    ]
    return tuple(dict.fromkeys(folders))


def _absolute(path: Path) -> str:
    return os.path.abspath(path)


def _interpreter(command: str, env: Mapping[str, str]) -> Iterator[str]:
    """The installation a command belongs to: of `venv/bin/python` the venv, and what its links and `pyvenv.cfg` lead to."""
    found = which(command, path=env.get("PATH"))
    names = [found, _shebang(found) if found else None, env.get("VIRTUAL_ENV") and f"{env['VIRTUAL_ENV']}/bin/python"]
    for name in filter(None, names):
        path = Path(name)
        for _ in range(LINKS):
            yield str(path.parent)
            if _is_installation(path.parent.parent):
                yield str(path.parent.parent)
                yield from _base(path.parent.parent)
            if not path.is_symlink():
                break
            path = path.parent / path.readlink()


def _is_installation(prefix: Path) -> bool:
    """Whether a whole Python lies here, and not, say, somebody's home with a `bin` in it."""
    return (prefix / "pyvenv.cfg").is_file() or any((prefix / "lib").glob("python3*"))


def _base(prefix: Path) -> Iterator[str]:
    """The Python that a virtual environment was made from."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return
    homes = [line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"]
    yield from (os.path.realpath(Path(home).parent) for home in homes)


def _shebang(program: str) -> str | None:
    try:
        with Path(program).open("rb") as file:
            line = file.readline(256)
    except OSError:
        return None
    words = line[2:].split() if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else None


def _search_path(env: Mapping[str, str]) -> Iterator[str]:
    for variable in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH"):
        entries = env.get(variable, "").split(os.pathsep)
        yield from (
            entry for entry in entries if entry.count("/") > 1 and entry.startswith("/") and entry != env.get("HOME")
        )
