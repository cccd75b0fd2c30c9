"""The first thing that a Python process below `mutx run` executes; Python finds it through PYTHONPATH.

Whatever goes wrong here ends the process: Python itself would print a line and start the program ungoverned. The
program's own `sitecustomize`, if it has one, runs afterwards.
"""

import os
import sys
from importlib import import_module

HERE = os.path.dirname(os.path.abspath(__file__))


def _load(folder):  # type: ignore[no-untyped-def]  # no annotations, f-strings or newer words: old Pythons read this, to be refused by it
    """Put mutx_agent into `sys.modules` without putting anything else that lies beside it within the program's reach."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(
        "mutx_agent", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError("no mutx_agent in " + folder)
    package = sys.modules["mutx_agent"] = module_from_spec(spec)
    spec.loader.exec_module(package)


def _govern():  # type: ignore[no-untyped-def]
    if sys.version_info < (3, 10):  # noqa: UP036 - the program's Python is not ours to choose
        raise RuntimeError("this Python is too old; 3.10 is needed")
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    if "mutx_agent" not in sys.modules:
        import json

        _load(json.loads(os.environ["MUTX_RUN"])["package"])  # type: ignore[no-untyped-call]
    from mutx_agent.launch.activate import activate

    activate()


def _start():  # type: ignore[no-untyped-def]
    try:
        _govern()  # type: ignore[no-untyped-call]
    except BaseException as error:  # noqa: BLE001
        words = (
            "mutx run: process",
            str(os.getpid()),
            "cannot be governed and is stopped:",
            type(error).__name__,
            str(error),
        )
        sys.stderr.write(" ".join(words) + "\n")
        sys.stderr.flush()
        os._exit(125)


def _go_on():  # type: ignore[no-untyped-def]
    """Run the `sitecustomize` that this one stands before; without one, Python never hears of it."""
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import_module("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        if ours is not None:
            sys.modules["sitecustomize"] = ours


if __name__ == "sitecustomize":
    _start()  # type: ignore[no-untyped-call]
    _go_on()  # type: ignore[no-untyped-call]
