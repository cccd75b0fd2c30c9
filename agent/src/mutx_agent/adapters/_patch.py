"""Zero-code interception: attributes of a framework replaced, all or none, and put back."""

import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from mutx_agent.adapters._common import Gate, deciding_with
from mutx_agent.governor import Governor
from mutx_agent.scope import carry

Uninstall = Callable[[], None]
Maker = Callable[[Any, Gate], Any]
"""(original function, gate) -> the function in its place."""
MARK = "mutx_gate"


class HookNotFound(Exception):
    """The framework has no such place any more, so this adapter would govern nothing: do not run without it."""

    def __init__(self, distribution: str, missing: str) -> None:
        try:
            installed = version(distribution)
        except PackageNotFoundError:
            installed = "(not installed)"
        super().__init__(
            f"{distribution} {installed} has no {missing}, through which every tool call went: use a version that "
            "docs/frameworks.md lists, or the framework's own hook"
        )
        self.distribution, self.version, self.missing = distribution, installed, missing


class Place(NamedTuple):
    """Where an attribute stands. `own`: what the owner itself holds there, None where it inherits it."""

    owner: Any
    name: str
    own: Any

    @property
    def gate(self) -> Gate | None:
        return getattr(getattr(self.owner, self.name), MARK, None)

    def replace(self, make: Maker, gate: Gate) -> None:
        found = getattr(self.owner, self.name)
        bound_to_class = isinstance(self.own, classmethod)
        plain = found.__func__ if bound_to_class else found
        replacement = wraps(plain)(make(plain, gate))
        setattr(replacement, MARK, gate)
        setattr(self.owner, self.name, classmethod(replacement) if bound_to_class else replacement)

    def restore(self, gate: Gate) -> None:
        """Unless somebody has put something of theirs over ours: then it stays, and lets calls pass."""
        now = inspect.getattr_static(self.owner, self.name)
        if getattr(getattr(now, "__func__", now), MARK, None) is not gate:
            return
        if self.own is None:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.own)


def patch(distribution: str, runtime: str, governor: Governor | None, points: Mapping[str, Maker]) -> Uninstall:
    """Replace each `module:Class.attribute` by what its maker makes of it. Raises HookNotFound.

    A second installation wraps nothing twice: its governor decides until it is uninstalled.
    """
    places = {point: _find(distribution, point) for point in points}
    known = next((place.gate for place in places.values()), None)
    gate = known or Gate(runtime, governor)
    if known is not None:
        known.add(governor)
    else:
        gate.when_left = partial(_restore, list(places.values()), gate)
        for point, make in points.items():
            places[point].replace(make, gate)
    left = [True]

    def uninstall() -> None:
        if left:
            left.clear()
            gate.remove(governor)

    return uninstall


def _restore(places: list[Place], gate: Gate) -> None:
    for place in places:
        place.restore(gate)


def _find(distribution: str, point: str) -> Place:
    module, _, path = point.partition(":")
    *parents, name = path.split(".")
    try:
        owner: Any = import_module(module)
        for parent in parents:
            owner = getattr(owner, parent)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise HookNotFound(distribution, point) from error
    return Place(owner, name, vars(owner).get(name))


@contextmanager
def installed(install: Callable[[Governor | None], Uninstall], governor: Governor) -> Iterator[None]:
    """Inside, the calls of this context are decided by `governor`, whether or not the hooks were installed before."""
    uninstall = install(governor)
    try:
        with deciding_with(governor):
            yield
    finally:
        uninstall()


def run_aside(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine to its end on a thread of its own: a proof may be called from an event loop, or without one."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(carry(lambda: asyncio.run(work()))).result()
