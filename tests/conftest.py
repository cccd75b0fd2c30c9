"""Fixtures for every test."""

from tests.postgres import empty_postgres as empty_postgres
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url
from tests.witness import session_witness as session_witness
from tests.witness import witness as witness
