"""Fixtures for every test."""

from tests.postgres import empty_postgres as empty_postgres
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url
from tests.redis_server import redis_process as redis_process
from tests.redis_server import redis_server as redis_server
from tests.witness import session_witness as session_witness
from tests.witness import witness as witness
