from collections.abc import Iterator

import pytest

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import ManualClock
from mutx.storage.memory import MemoryLedger
from tests.conformance.scribe import Scribe
from tests.services.telemetry.receivers import Received, http_receiver


@pytest.fixture
def receiver() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


@pytest.fixture
def scribe() -> Scribe:
    accumulator, clock = ContextAccumulator(), ManualClock()
    return Scribe(MemoryLedger(accumulator, clock), accumulator, clock)
