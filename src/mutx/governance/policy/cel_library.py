"""The CEL library without its command line.

The package `cel` imports its own interactive shell, and with it what draws and edits in a terminal: a tenth of what a
server takes to start, for something that is never called. While the package is imported an empty module stands in the
shell's place; afterwards it is gone, so that whoever wants the shell can still import it.
"""

import sys
from importlib import import_module
from types import ModuleType

SHELL = "cel.cli"


def load() -> ModuleType:
    """The package `cel`."""
    if "cel" in sys.modules or SHELL in sys.modules:
        return import_module("cel")
    sys.modules[SHELL] = ModuleType(SHELL)
    try:
        return import_module("cel")
    finally:
        del sys.modules[SHELL]


cel = load()
