"""The locks are complete and name no address; no committed file names a package registry or a path of this machine."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.sources import ROOT, report

PINNED = re.compile(r"^[A-Za-z0-9][\w.\-]*(\[[\w,\-]+\])?==[\w.!+\-]+( ; .+)?$")
REGISTRIES = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|(npmjs|yarnpkg)\.(org|com)|deb\.debian\.org|proxy\.golang\.org|crates\.io)\b"
    r"|://[^/\s\"'`]*(pypi|npmjs|artifactory|devpi|nexus)[^/\s]*"
    r"|(?<![\w-])--(extra-)?index-url[= ]\S|(?<![\w-])--find-links[= ]\S"
)


def check_lock(path: str, text: str) -> Iterator[str]:
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
        if not requirement or requirement.startswith("#"):
            continue
        if "://" in entry or not PINNED.match(requirement.strip()):
            yield f"{path}: not a plain pinned requirement: {requirement}"
        elif not hashes:
            yield f"{path}: no hash: {requirement}"


def machine_paths(root: Path) -> re.Pattern[str]:
    """This checkout, its siblings and the interpreter's own folder, as absolute paths."""
    shared = {Path(place) for place in ("/", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/local", "/var")}  # noqa: S108 - compared, never opened
    places = {root, root.parent, Path(sys.base_prefix)} - shared
    return re.compile(
        r"(?<![\w.$}~*/-])(" + "|".join(re.escape(str(place)) for place in sorted(places, reverse=True)) + r")(?![\w-])"
    )


def check_text(path: str, text: str, machine: re.Pattern[str]) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := REGISTRIES.search(line):
            yield f"{path}:{number}: names a package registry: {found[0].strip()}"
        if found := machine.search(line):
            yield f"{path}:{number}: names a path of this machine: {found[0]}"


def committed_files(root: Path) -> list[str]:
    """What git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in output.split("\0") if path and (root / path).is_file())


def check(root: Path, paths: list[str]) -> list[str]:
    problems: list[str] = []
    machine = machine_paths(root)
    for path in paths:
        try:
            text = (root / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a binary file
        if path.startswith("requirements/") and path.endswith(".lock"):
            problems += check_lock(path, text)
        problems += check_text(path, text, machine)
    return problems


def main() -> int:
    paths = committed_files(ROOT)
    return report(check(ROOT, paths), f"{len(paths)} files name no registry and no path of this machine")


if __name__ == "__main__":
    sys.exit(main())
