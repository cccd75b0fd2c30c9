"""Methods replaced in every class of a family, for frameworks whose tools override what dispatches them."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from mutx_agent.adapters._common import Gate
from mutx_agent.adapters._patch import MARK, HookNotFound, Maker, Place, Uninstall
from mutx_agent.governor import Governor

Methods = Callable[[type], Mapping[str, Maker]]
"""Which methods to replace in a class, if it defines them itself."""


def patch_family(
    distribution: str, runtime: str, governor: Governor | None, base: str, methods: Methods, module: str | None = None
) -> Uninstall:
    """Replace methods of `module:Class` and of all its subclasses, those yet to come included. Raises HookNotFound.

    `module` defines the subclasses that there must be, where the class itself has only abstract methods. A second
    installation replaces nothing twice: its governor decides until it is uninstalled.
    """
    root = _root(distribution, base)
    if module is not None:
        _root(distribution, module)
    gate: Gate | None = getattr(root.__init_subclass__, MARK, None)
    if gate is None:
        gate = Gate(runtime, governor)
        places: list[Place] = []
        gate.when_left = partial(_restore, places, gate)
        _watch(root, partial(_replace, gate, places, methods), gate, places)
        for owner in _family(root):
            _replace(gate, places, methods, owner)
        if len(places) == 1 and not any(name in vars(root) for name in methods(root)):
            _restore(places, gate)
            raise HookNotFound(distribution, f"{base} with one of {', '.join(methods(root))}")
    else:
        gate.add(governor)
    left, chosen = [True], gate

    def uninstall() -> None:
        if left:
            left.clear()
            chosen.remove(governor)

    return uninstall


def place_of(method: Any) -> str:
    """Names one of the methods that a call may meet one after another: an overriding one, and the one it calls."""
    return f"{method.__module__}.{method.__qualname__}"


def _root(distribution: str, point: str) -> Any:
    module, _, name = point.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except (ImportError, AttributeError) as error:
        raise HookNotFound(distribution, point) from error


def _family(base: Any) -> Iterator[Any]:
    yield base
    for child in base.__subclasses__():
        yield from _family(child)


def _replace(gate: Gate, places: list[Place], methods: Methods, owner: Any) -> None:
    for name, make in methods(owner).items():
        own = vars(owner).get(name)
        if own is None or getattr(own, "__isabstractmethod__", False) or getattr(own, MARK, None) is gate:
            continue
        place = Place(owner, name, own)
        place.replace(make, gate)
        places.append(place)


def _watch(base: Any, seen: Callable[[Any], None], gate: Gate, places: list[Place]) -> None:
    """Have `seen` called with every subclass that somebody defines from now on."""
    own = vars(base).get("__init_subclass__")

    def init_subclass(cls: Any, /, **options: Any) -> None:
        if own is not None:
            own.__get__(None, cls)(**options)
        else:
            super(base, cls).__init_subclass__(**options)
        if not gate.open:
            seen(cls)

    setattr(init_subclass, MARK, gate)
    places.append(Place(base, "__init_subclass__", own))
    base.__init_subclass__ = classmethod(init_subclass)


def _restore(places: list[Place], gate: Gate) -> None:
    while places:
        places.pop().restore(gate)


def all_of(*installs: Callable[[], Uninstall]) -> Uninstall:
    """Several installations as one: all or none."""
    done: list[Uninstall] = []

    def uninstall() -> None:
        while done:
            done.pop()()

    try:
        done.extend(one() for one in installs)
    except HookNotFound:
        uninstall()
        raise
    return uninstall
