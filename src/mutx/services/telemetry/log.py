"""Events as JSON lines: one object per event, on standard output or in a file that others collect."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import structlog

from mutx.governance.turn import Event
from mutx.kit.clock import rfc3339


class LogSink:
    """Appends to `path`, or prints where there is none."""

    name = "log"
    topics: frozenset[str] | None = None

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    async def send(self, events: Sequence[Event]) -> None:
        await asyncio.to_thread(self._write, events)

    def _write(self, events: Sequence[Event]) -> None:
        if self._path is None:
            _print(sys.stdout, events)
            return
        with self._path.open("a", encoding="utf-8") as file:
            _print(file, events)


def _print(file: TextIO, events: Sequence[Event]) -> None:
    log = structlog.wrap_logger(structlog.WriteLogger(file), processors=[structlog.processors.JSONRenderer()])
    for event in events:
        log.info(event.topic, workspace_id=event.workspace_id, at=rfc3339(event.at), payload=event.payload)
