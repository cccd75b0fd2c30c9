"""Structured logs: one JSON object a line, with request, trace and tenant, and without secrets."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.processors import CallsiteParameter, CallsiteParameterAdder
from structlog.typing import EventDict, Processor, WrappedLogger

from mutx.services.telemetry import redaction

WHENCE = {
    CallsiteParameter.FUNC_NAME: "function",
    CallsiteParameter.LINENO: "line",
    CallsiteParameter.MODULE: "module",
    CallsiteParameter.PROCESS: "process_id",
    CallsiteParameter.THREAD: "thread_id",
}
"""Where a line was written: structlog's name, and the technical reference's (§5)."""
ALWAYS = ("request_id", "trace_id", "tenant")
"""In every line; null in those that belong to no request."""
OURS = frozenset((*WHENCE.values(), "timestamp", "level", "logger"))
"""Not from outside, so nothing is hidden in them."""


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide secrets in every value and at any depth."""
    for name, value in event.items():
        if name not in OURS and not name.startswith("_"):
            event[name] = redaction.HIDDEN if _secret(name, value) else redaction.redact(value)
    return event


def _secret(name: str, value: object) -> bool:
    return value is not None and not isinstance(value, bool) and redaction.is_secret_name(name)


def _complete(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name in ALWAYS:
        event.setdefault(name, None)
    for theirs, ours in WHENCE.items():
        event[ours] = event.pop(theirs.value, None)
    return event


def processors() -> list[Processor]:
    """What every line passes, whichever kind of logger it came from, up to its rendering."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        CallsiteParameterAdder(WHENCE.keys(), additional_ignores=["mutx.server.logging"]),
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _complete,
        redact,
    ]


def formatter(*, as_json: bool = True) -> logging.Formatter:
    render: Processor = structlog.processors.JSONRenderer()
    if not as_json:
        render = structlog.dev.ConsoleRenderer(event_key="message", colors=sys.stderr.isatty())
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )


def to_standard_logging() -> None:
    """Let structlog's loggers write through the standard library's."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def configure(level: str = "INFO", *, as_json: bool = True, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (standard error) in one form. Once per process."""
    to_standard_logging()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(as_json=as_json))
    for chatty in ("alembic", "uvicorn", "aiosqlite", "aiosmtplib", "sqlalchemy", "asyncio", "httpcore2", "httpx2"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
