"""Calls back when named modules have been imported, at no cost to those that never are.

A finder at the head of `sys.meta_path` asks the finders behind it and hands their answer on, with one addition: the
loader of this one module tells when it has executed it. Loaders, specs and modules stay the objects they were.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class InProgress(threading.local):
    """The modules that this thread is importing, outermost first, as (name, file)."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, str]] = []


class ImportWatch:
    """`triggers`: module name -> what to do once it has been imported. `after` is told after every import.

    What they raise reaches whoever imports.
    """

    def __init__(self, triggers: Mapping[str, Callable[[], None]], after: Callable[[Sequence[str]], None]) -> None:
        self._triggers = dict(triggers)
        self._after = after
        self._importing = InProgress()

    def start(self) -> None:
        """Stand first in line; what has been imported already is told at once."""
        sys.meta_path.insert(0, self)
        for name in [name for name in self._triggers if name in sys.modules]:
            self._fire(name)
            self._after(())

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
            self._execute(plain, module, spec)

        try:
            loader.exec_module = exec_module
        except AttributeError as error:
            if spec.name in self._triggers:
                raise ImportError(f"the loader of {spec.name} cannot be watched", name=spec.name) from error

    def _execute(self, plain: Callable[[ModuleType], None], module: ModuleType, spec: ModuleSpec) -> None:
        stack = self._importing.stack
        stack.append((spec.name, spec.origin or ""))
        try:
            plain(module)
        finally:
            stack.pop()
        self._fire(spec.name)
        self._after([origin for _, origin in stack])

    def _fire(self, name: str) -> None:
        trigger = self._triggers.pop(name, None)
        if trigger is not None:
            trigger()
