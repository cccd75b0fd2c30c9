"""For the probes: a proof says what it found, not what the framework thinks of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


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
