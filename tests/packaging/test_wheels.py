"""What is in the wheels, and that an empty environment needs nothing else."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.packaging.conftest import ROOT, Wheels, empty_environment


def sources(folder: Path) -> set[str]:
    """The files below `folder`, less what Python left there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if path.suffix not in {".pyc", ".so"}}


@pytest.mark.parametrize(("wheel", "folder"), [("mutx", "src"), ("agent", "agent/src")])
def test_every_file_of_the_package_is_in_its_wheel(wheels: Wheels, wheel: str, folder: str) -> None:
    with ZipFile(getattr(wheels, wheel)) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == sources(ROOT / folder)


def test_the_data_that_the_code_reads_is_there(wheels: Wheels) -> None:
    with ZipFile(wheels.mutx) as archive:
        names = archive.namelist()
    for wanted in ("mutx/py.typed", "mutx/server/migrations/versions/", "script.py.mako", ".yaml"):
        assert any(wanted in name for name in names), wanted


def test_the_wheels_name_their_needs(wheels: Wheels) -> None:
    def metadata(wheel: Path) -> str:
        with ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return archive.read(name).decode()

    assert "Requires-Dist" not in metadata(wheels.agent)
    assert "Requires-Dist: mutx-agent==" in metadata(wheels.mutx)


REFUSED = """
import sys
from mutx_agent import ControlPlaneUnreachable, Governor

ran = []
governor = Governor(url="http://127.0.0.1:9", agent_id="bot", timeout=5.0)

@governor
def wire(amount):
    ran.append(amount)

try:
    wire(5)
except ControlPlaneUnreachable as error:
    print(error.reason_code, ran)
print(sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__", "mutx_agent"}))
"""


def test_the_agent_alone_in_an_empty_environment_governs(wheels: Wheels, tmp_path: Path) -> None:
    """With nobody at the other end it refuses; it imported nothing but the standard library."""
    environment = empty_environment(tmp_path / "agent")
    environment.install("--no-index", "--no-deps", wheels.agent)
    assert environment.run(REFUSED).splitlines() == ["control_plane_unreachable []", "[]"]
