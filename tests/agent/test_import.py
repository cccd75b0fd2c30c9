"""What importing the package costs: nothing that a program pays for without using it."""

import subprocess
import sys

HEAVY = (
    "asyncio",
    "http.client",
    "ssl",
    "socket",
    "logging",
    "concurrent.futures",
    "importlib.metadata",
    "dataclasses",
    "email",
)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys; from mutx_agent import govern; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
