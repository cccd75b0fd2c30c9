"""What the suite asks of each framework. A driver says how; the suite says what, and judges."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from mutx_agent import Governor
from tests.frameworks.world import World


class Call(NamedTuple):
    """One tool call that the scripted model asks for."""

    tool: str
    args: dict[str, str]


class Scenario(NamedTuple):
    """One path through a framework."""

    path: str
    turns: list[list[Call]]
    """What the model asks for, turn by turn; after the last one it says `done`."""
    mode: str = "async"
    """`sync`, `async` or `stream`; for the last two the driver's `arun` is called."""
    coroutines: bool = False
    """The tool's body is a coroutine function (`world.aput` instead of `world.put`)."""
    handoff: bool = False
    """Another agent, to which the first one hands over, makes the calls."""
    nested: bool = False
    """The model calls `relay`, whose body has the framework run `put` with the same arguments."""
    flaky: bool = False
    """The first run of `put` fails; the framework's own retry has it run again (or the model asks again)."""


class Driver:
    """One framework. Tools are named `put(key, text)` and `relay(key, text)`; hand-off tools go into `handoff_tools`."""

    name: ClassVar[str]
    """The adapter's key in mutx_agent.hooks.ADAPTERS."""
    distributions: ClassVar[tuple[str, ...]]
    """What was installed; the first one's version is the row's."""
    tool: ClassVar[str] = "put"
    relay: ClassVar[str] = "relay"
    """What policies and receipts call the two tools, where the framework adds something of its own to the names."""
    result: ClassVar[str] = "wrote"
    """What the concluded result of a `put` that ran contains."""
    hook: ClassVar[str] = ""
    """The official hook by name; empty where the framework has none."""
    patch: ClassVar[str] = ""
    """Where `install` stands."""
    absent: ClassVar[Mapping[str, str]] = {}
    """Path, or `way:path` with way `hook` or `install`, -> why the framework does not have it."""
    out_of_reach: ClassVar[str] = ""
    """What of the framework no hook in this process can decide."""
    handoff_tools: ClassVar[frozenset[str]] = frozenset()
    """Other names under which the framework itself shows up as a tool call."""
    raises: ClassVar[frozenset[str]] = frozenset()
    """Paths on which a denial ends the run with ActionDenied, because the framework has no other way to say it."""

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        """Play a scenario synchronously; returns the texts that the model was told as results of its calls, in order.

        `governor`: use the official hook with it. None: plain, `install` is in place.
        """
        raise NotImplementedError

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        """The same for the modes `async` and `stream`."""
        raise NotImplementedError

    def put_of(self, scenario: Scenario, world: World) -> Any:
        """The body of the tool `put`."""
        return world.aput if scenario.coroutines else world.put
