"""Follow an event stream for as long as somebody looks, over restarts of the control plane."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from mutx.cli.state import CliState
from mutx.kit.errors import Unavailable

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds before each new attempt; the last one repeats."""


def follow(connect: Callable[[], Iterator[T]], state: CliState) -> Iterator[T]:
    """Events of `connect()`; when the stream ends or breaks, of a new one. Other errors end it."""
    failures = 0
    while True:
        try:
            for event in connect():
                failures = 0
                yield event
        except Unavailable as error:
            if failures == 0 and not state.as_json:
                click.echo(f"the stream broke, trying again: {error}", err=True)
        time.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
        failures += 1
