"""The CEL library comes without its shell, and the shell can still be had."""

import subprocess
import sys

import cel

from mutx.governance.policy.cel_library import SHELL, load

SCRIPT = """
import sys
from mutx.governance.policy.cel_library import cel
assert cel.compile("1 + 1") is not None
assert not {"cel.cli", "prompt_toolkit", "typer"} & set(sys.modules), "the shell was loaded"
import cel.cli
assert "prompt_toolkit" in sys.modules
"""


def test_the_library_loads_without_its_shell() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=120)


def test_a_package_that_is_loaded_is_taken_as_it_is() -> None:
    assert load() is cel
    assert SHELL not in sys.modules or hasattr(sys.modules[SHELL], "__file__")
