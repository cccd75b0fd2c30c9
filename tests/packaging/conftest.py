"""Both distributions as wheels, and empty environments to install them into."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest
from msgspec import Struct

ROOT = Path(__file__).parents[2]


class Wheels(Struct, frozen=True):
    mutx: Path
    agent: Path


class Environment(Struct, frozen=True):
    """A virtual environment that holds what was installed into it and nothing else."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self, *what: str | Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "--quiet"]
        command = [*pip, "install", *what]
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder)

    def run(self, code: str) -> str:
        """What a program prints; `-I` keeps this process's paths and variables out of it."""
        return subprocess.run(
            [self.python, "-I", "-c", code], check=True, capture_output=True, text=True, cwd=self.folder
        ).stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Built as `make wheels` builds them: each from its source distribution."""
    out = tmp_path_factory.mktemp("dist")
    for project in ("agent", "."):
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), project]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return Wheels(next(out.glob("mutx-*.whl")), next(out.glob("mutx_agent-*.whl")))


def empty_environment(folder: Path) -> Environment:
    venv.create(folder, symlinks=True)
    return Environment(folder)
