"""What happens to a framework once it has been imported: its adapter is installed and proved, or the process ends."""

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mutx_agent.launch.order import REFUSED

if TYPE_CHECKING:
    from mutx_agent.hooks import Adapter, Proof

Tell = Callable[[str, Mapping[str, Any]], None]
"""Tells the launcher: `(what, details)`."""


class FrameworkGate:
    """The adapters of one process. `allow_unproved` turns the end of the process into a loud warning."""

    def __init__(self, adapters: "Mapping[str, Adapter]", tell: Tell, *, allow_unproved: bool) -> None:
        self._adapters = adapters
        self._tell = tell
        self._allow_unproved = allow_unproved
        self._lock = threading.RLock()
        self._pending: list[str] = []

    def install(self, name: str) -> None:
        """Put the adapter's hooks in. They hold from here on; whether they do is shown by `settle`."""
        if self._attempt(name, lambda: import_module(self._adapters[name].module).install()):
            with self._lock:
                self._pending.append(name)

    def settle(self, importing: Sequence[str]) -> None:
        """Prove what is installed, unless an import of installed packages is still under way around it.

        `importing`: the modules whose import is in progress in this thread. A framework can be run only when it is there
        as a whole and no lock of its imports is held; the program's own modules may be half imported, because they may
        call tools while they are.
        """
        if not self._pending or any(map(_installed, importing)):
            return
        with self._lock:
            pending, self._pending = self._pending, []
            for name in pending:
                self._prove(name)

    def _prove(self, name: str) -> None:
        from mutx_agent.hooks import prove

        proofs: list[Proof] = []
        if self._attempt(name, lambda: proofs.append(prove(name, official=False))):
            self._tell("proved", {"adapter": name, "version": proofs[0].version})

    def _attempt(self, name: str, step: Callable[[], object]) -> bool:
        """Whatever ails an adapter or its framework, the framework is not governed."""
        try:
            step()
        except Exception as error:  # noqa: BLE001
            self._refuse(name, error)
            return False
        return True

    def _refuse(self, name: str, error: Exception) -> None:
        why = f"{type(error).__name__}: {error}"
        self._tell("unproved", {"adapter": name, "reason": why[:1000]})
        if self._allow_unproved:
            shout(f"WARNING: {name} is loaded and NOT governed ({why}); it runs because of --allow-unproved")
            return
        shout(
            f"{name} is loaded and its governance is not proved, so process {os.getpid()} is stopped: {why}\n"
            f"mutx run: use a version of {name} that docs/frameworks.md lists, or accept ungoverned calls of it with --allow-unproved"
        )
        stop()


def _installed(name: str) -> bool:
    """Whether a module comes with a package, or is still looked for, which might come to the same."""
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None) or ""
    return module is None or "site-packages" in origin or "dist-packages" in origin


def shout(text: str) -> None:
    sys.stderr.write(f"mutx run: {text}\n")
    sys.stderr.flush()


def stop() -> None:
    """End the process from wherever this is: an exception could be caught, and the framework would run."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(REFUSED)
