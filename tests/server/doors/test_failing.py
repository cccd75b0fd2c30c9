import asyncio

import pytest
from structlog.testing import capture_logs

from mutx.kit.errors import MutxError, Unauthenticated
from mutx.server.doors.failing import FailClosed


def test_an_unforeseen_error_rises_without_its_text_and_is_logged_with_it():
    broken = ValueError("password=hunter2")
    with capture_logs() as logs, pytest.raises(MutxError) as raised, FailClosed("http"):
        raise broken
    assert raised.value.code == MutxError.code
    assert "hunter2" not in str(raised.value)
    assert [(log["door"], log["exc_info"]) for log in logs] == [("http", broken)]


@pytest.mark.parametrize("error", [Unauthenticated("no"), asyncio.CancelledError(), KeyboardInterrupt()])
def test_our_own_errors_and_interruptions_pass_as_they_are(error):
    with capture_logs() as logs, pytest.raises(type(error)) as raised, FailClosed("uds"):
        raise error
    assert raised.value is error
    assert logs == []
