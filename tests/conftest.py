"""Fixtures for every test, and patience: how fast a machine is today is no property of the code."""

import os

from hypothesis import HealthCheck, settings

from tests.postgres import empty_postgres as empty_postgres
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url
from tests.redis_server import redis_process as redis_process
from tests.redis_server import redis_server as redis_server
from tests.witness import session_witness as session_witness
from tests.witness import witness as witness

# The suite is the same one every time, so that what fails was changed. `make fuzz` draws afresh, and more.
SEARCHING = "MUTX_SEARCH" in os.environ
settings.register_profile(
    "patient",
    deadline=None,
    derandomize=not SEARCHING,
    max_examples=1000 if SEARCHING else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")
