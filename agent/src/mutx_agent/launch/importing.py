"""Calls back when named modules have been imported, at no cost to those that never are.

A finder at the head of `sys.meta_path` asks the finders behind it and hands their answer on, with one addition: the
loader of this one module tells when it has executed it. Loaders, specs and modules stay the objects they were.

What may run a framework has to wait longer: until the import is over and its locks are free, because a framework runs
tools in threads, and these import. So the interpreter's one way to import what is not there yet is wrapped as well. That
tells also of a module which another finder brought: type checkers, tracers and test runners put theirs before this one.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MACHINERY = "_frozen_importlib"
FIND_AND_LOAD = "_find_and_load"
"""The function that both the `import` statement and `importlib.import_module` call for a module that is not there yet."""
NOTHING = "mutx_agent.launch.nothing"


class InProgress(threading.local):
    """The modules that this thread is importing, outermost first."""

    def __init__(self) -> None:
        self.names: list[str] = []


class ImportWatch:
    """`triggers`: module name -> what to do once it has been executed. `after` is told after every import what is still
    being imported around it, in this thread.

    What they raise reaches whoever imports.
    """

    def __init__(self, triggers: Mapping[str, Callable[[], None]], after: Callable[[Sequence[str]], None]) -> None:
        self._triggers = dict(triggers)
        self._after = after
        self._importing = InProgress()
        self._followed = False

    def start(self) -> None:
        """Stand first in line; what has been imported already is told at once.

        Raises ImportError for a Python that imports in another way.
        """
        sys.meta_path.insert(0, self)
        self._follow()
        for name in [name for name in self._triggers if name in sys.modules]:
            self._fire(name)
            self._after(())

    def missed(self) -> list[str]:
        """What is there and was never told: loaded past the import system."""
        return [name for name in self._triggers if name in sys.modules]

    def _follow(self) -> None:
        machinery: Any = sys.modules[MACHINERY]
        plain = getattr(machinery, FIND_AND_LOAD, None)
        if plain is None:
            raise ImportError(f"this Python has no {FIND_AND_LOAD}, so imports cannot be followed")

        def find_and_load(name: str, import_: Any) -> Any:
            importing = self._importing.names
            self._followed = True
            importing.append(name)
            try:
                module = plain(name, import_)
                self._fire(name)  # unless it was, by its loader: another finder may stand before this one
                return module
            finally:
                importing.pop()
                self._after(importing)

        machinery._find_and_load = find_and_load
        sys.modules.pop(NOTHING, None)
        __import__(NOTHING)
        if not self._followed:
            raise ImportError("this Python imports past its own machinery, so imports cannot be followed")

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The `MetaPathFinder` protocol: what the finders behind this one find, watched."""
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else sys.meta_path
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                self._watch(spec)
                return spec
        return None

    def _watch(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        plain = getattr(loader, "exec_module", None)
        if plain is None or isinstance(loader, type):
            if spec.name in self._triggers:
                raise ImportError(f"{spec.name} is loaded in a way that cannot be watched: {loader!r}", name=spec.name)
            return

        def exec_module(module: ModuleType) -> None:
            loader.__dict__.pop("exec_module", None)
            plain(module)
            self._fire(spec.name)
            if not self._importing.names:  # executed by somebody else than the import system
                self._after(())

        try:
            loader.exec_module = exec_module
        except AttributeError as error:
            if spec.name in self._triggers:
                raise ImportError(f"the loader of {spec.name} cannot be watched", name=spec.name) from error

    def _fire(self, name: str) -> None:
        trigger = self._triggers.pop(name, None)
        if trigger is not None:
            trigger()
