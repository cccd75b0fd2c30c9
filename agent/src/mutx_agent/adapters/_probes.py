"""For the probes: a proof says what it found, not what the framework thinks of it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def probed_by(spy: Callable[[], None]) -> Callable[[], str]:
    """The tool of a proof: a function called `probed`."""

    def probed() -> str:
        """Does what the proof watches."""
        spy()
        return "ran"

    return probed


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Inside, the loggers below `name` that have no level of their own are silent: refused calls are part of a proof."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def replaced(owner: Any, **values: Any) -> Iterator[None]:
    """Inside, `owner` has these attributes: what a framework would print, or tell its maker, about a proof."""
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def nothing(*unused: Any, **unused_too: Any) -> None:
    """In place of what a proof does without."""
