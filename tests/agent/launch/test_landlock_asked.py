"""What is asked of the kernel for Landlock, by its version: a kernel that is simulated notes the rules, and holds nobody."""

import ctypes
import os
import struct
from pathlib import Path

import pytest

from mutx_agent.launch import landlock
from mutx_agent.launch.kernel import Libc
from mutx_agent.launch.landlock import FileRules, PortRules, restrict


class NotingKernel(Libc):
    """Answers as a kernel of one version does."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.asked: tuple[int, ...] = ()
        self.paths: dict[str, int] = {}
        self.ports: list[tuple[int, int]] = []
        self.restricted = False

    def syscall(self, number: int, *args: object) -> int:
        if number == landlock.CREATE_RULESET:
            return self._ruleset(*args)
        if number == landlock.ADD_RULE:
            self._rule(args[1], args[2])
        else:
            assert number == landlock.RESTRICT_SELF
            self.restricted = True
        return 0

    def prctl(self, option: int, *args: object) -> int:
        assert not self.restricted, "the kernel wants this first"
        return 0

    def _ruleset(self, attributes: object, size: object, flags: object) -> int:
        if flags == landlock.VERSION_FLAG:
            return self.version
        assert isinstance(attributes, ctypes.c_char_p)
        assert isinstance(size, int)
        self.asked = struct.unpack("Q" * (size // 8), ctypes.string_at(attributes, size))
        return os.open("/", os.O_PATH)

    def _rule(self, kind: object, rule: object) -> None:
        assert isinstance(rule, ctypes.c_char_p)
        if kind == landlock.NET_PORT:
            right, port = struct.unpack("QQ", ctypes.string_at(rule, 16))
            self.ports.append((right, port))
        else:
            rights, place = struct.unpack("=Qi", ctypes.string_at(rule, 12))
            self.paths[os.readlink(f"/proc/self/fd/{place}")] = rights


@pytest.mark.parametrize(("version", "attributes"), [(1, 1), (3, 1), (4, 2), (5, 2), (6, 3)])
def test_each_version_is_asked_for_what_it_knows(tmp_path: Path, version: int, attributes: int) -> None:
    kernel = NotingKernel(version)
    note = tmp_path / "note"
    note.touch()
    files = FileRules(read=(str(note), str(tmp_path / "missing")), write=(str(tmp_path),))
    assert restrict(kernel, files, PortRules(connect=(80,), bind=(81, 82))) == version
    assert kernel.restricted
    assert len(kernel.asked) == attributes
    assert kernel.paths.keys() == {str(note), str(tmp_path)}, "what is not there is not granted"
    assert kernel.paths[str(note)] & landlock.READ_DIR == 0, "a file has no rights of folders"
    assert kernel.paths[str(tmp_path)] & kernel.asked[0] == kernel.paths[str(tmp_path)], "no right that is unknown"
    ports = [(landlock.CONNECT_TCP, 80), (landlock.BIND_TCP, 81), (landlock.BIND_TCP, 82)]
    assert kernel.ports == (ports if version >= 4 else [])


def test_without_rules_for_ports_the_network_is_left_alone(tmp_path: Path) -> None:
    kernel = NotingKernel(4)
    restrict(kernel, FileRules(read=(str(tmp_path),), write=()), None)
    assert (kernel.ports, kernel.asked[1]) == ([], 0)


def test_folders_that_cannot_be_listed_or_are_too_full_are_not_granted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    hidden = (str(tmp_path / "a"), str(tmp_path / "file" / "x"))
    (tmp_path / "file").touch()
    monkeypatch.setattr(landlock, "ENTRIES", 1)
    for path in (tmp_path / "file", tmp_path):
        kernel = NotingKernel(4)
        restrict(kernel, FileRules(read=(str(path),), write=(), hidden=hidden), None)
        assert (kernel.paths, kernel.restricted) == ({}, True)
