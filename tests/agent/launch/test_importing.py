"""What is told when a module has been imported, and that nothing else changes for it."""

import sys
from collections.abc import Iterator
from importlib import import_module, reload
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mutx_agent.launch.importing import MACHINERY, ImportWatch


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what was imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before, finders = set(sys.modules), list(sys.meta_path)
    machinery: Any = sys.modules[MACHINERY]
    plain = machinery._find_and_load
    yield tmp_path
    sys.meta_path[:], machinery._find_and_load = finders, plain
    for name in set(sys.modules) - before:
        del sys.modules[name]


def watch(triggers: dict[str, Any], after: Any = lambda _: None) -> None:
    ImportWatch(triggers, after).start()


def test_a_trigger_fires_once_when_its_module_is_whole(modules: Path) -> None:
    (modules / "watched_one.py").write_text("value = 1\n")
    seen: list[Any] = []
    watch({"watched_one": lambda: seen.append(sys.modules["watched_one"].value)})
    assert find_spec("watched_one") is not None
    module = import_module("watched_one")
    reload(module)
    assert seen == [1]
    assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(module.__spec__.loader)


def test_what_surrounds_an_import_is_told(modules: Path) -> None:
    (modules / "watched_outer.py").write_text("import watched_inner\n")
    (modules / "watched_inner.py").write_text("")
    around: list[list[str]] = []
    watch({}, lambda names: around.append(list(names)))
    del around[:]
    import_module("watched_outer")
    assert around == [["watched_outer"], []]


def test_what_is_executed_past_the_import_system_is_told_as_well(modules: Path) -> None:
    (modules / "watched_lazy.py").write_text("value = 4\n")
    told: list[Any] = []
    watch({"watched_lazy": lambda: told.append("fired")}, lambda names: told.append(list(names)))
    del told[:]
    spec = find_spec("watched_lazy")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))
    assert told == ["fired", []]


@pytest.mark.parametrize("machinery", [SimpleNamespace(), SimpleNamespace(_find_and_load=len)])
def test_a_python_whose_imports_cannot_be_followed_is_refused(
    monkeypatch: pytest.MonkeyPatch, modules: Path, machinery: Any
) -> None:
    monkeypatch.setitem(sys.modules, MACHINERY, machinery)
    with pytest.raises(ImportError, match="cannot be followed"):
        watch({})


def test_what_is_there_already_is_told_at_once(modules: Path) -> None:
    seen: list[Any] = []
    watch({"json": lambda: seen.append("json")}, seen.append)
    assert seen[-2:] == ["json", ()]


def test_a_module_that_fails_does_not_fire(modules: Path) -> None:
    (modules / "watched_broken.py").write_text("1 / 0\n")
    seen: list[str] = []
    watch({"watched_broken": lambda: seen.append("fired")})
    with pytest.raises(ZeroDivisionError):
        import_module("watched_broken")
    with pytest.raises(ModuleNotFoundError):
        import_module("watched_nowhere")
    assert not seen


class SlottedLoader:
    """Takes no attributes."""

    __slots__ = ()

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        module.value = 2


class StaticLoader:
    """Is used as a class, like the interpreter's own."""

    @staticmethod
    def create_module(spec: Any) -> None:
        return None

    @staticmethod
    def exec_module(module: Any) -> None:
        module.value = 3


@pytest.mark.parametrize("loader", [SlottedLoader(), StaticLoader])
def test_what_cannot_be_watched_is_refused_only_if_it_is_watched_for(modules: Path, loader: Any) -> None:
    from importlib.machinery import ModuleSpec

    class Finder:
        def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
            return ModuleSpec(name, loader) if name.startswith("watched_odd") else None

    sys.meta_path.insert(0, Finder())
    watch({"watched_odd_one": lambda: None})
    assert import_module("watched_odd_other").value in (2, 3)
    with pytest.raises(ImportError, match="watched"):
        import_module("watched_odd_one")
