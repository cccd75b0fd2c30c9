"""Logs are JSON, carry the request's id, and hold no secrets."""

import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from mutx.server.logging import configure


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_both_kinds_of_logger_write_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.stdlib.get_logger("mutx.test").info("signed in", password="hunter2", who="ana")
        logging.getLogger("uvicorn").warning("key %s is odd", "mutx_live_abcdef")
        structlog.stdlib.get_logger("mutx.test").debug("too quiet")
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (first["message"], first["who"], first["password"]) == ("signed in", "ana", "[redacted]")
    assert (first["level"], first["logger"], first["request_id"]) == ("info", "mutx.test", "r-1")
    assert (second["message"], second["request_id"]) == ("key [redacted] is odd", "r-1")


def test_every_line_says_whence_it_came_and_for_whom(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    structlog.stdlib.get_logger("mutx.test").warning("odd", headers={"Cookie": "session=abcdef"}, error=ValueError("x"))
    logging.getLogger("other").warning("old style")
    with structlog.contextvars.bound_contextvars(request_id="r-1", trace_id="t-1", tenant="w-1"):
        logging.getLogger("other").warning("in a request")
    ours, theirs, request = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in (ours, theirs):
        assert line["function"] == "test_every_line_says_whence_it_came_and_for_whom"
        assert (line["module"], line["process_id"]) == ("test_logging", os.getpid())
        assert line["line"] > 0
        assert line["thread_id"] > 0
        assert (line["request_id"], line["trace_id"], line["tenant"]) == (None, None, None)
    assert (ours["headers"], ours["error"]) == ({"Cookie": "[redacted]"}, "x")
    assert (request["request_id"], request["trace_id"], request["tenant"]) == ("r-1", "t-1", "w-1")


def test_a_traceback_is_text_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    structlog.stdlib.get_logger("mutx.test").error(
        "failed", exc_info=ValueError("Bearer eyJhbGciOiJFZDI1NTE5In0.e30.c2ln")
    )
    record = json.loads(capsys.readouterr().err)
    assert "ValueError" in record["exception"]
    assert "eyJ" not in record["exception"]


def test_people_get_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", as_json=False)
    structlog.stdlib.get_logger("mutx.test").info("hello", name="ana")
    assert "hello" in capsys.readouterr().err
