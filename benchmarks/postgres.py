"""The ledger on PostgreSQL: groups against a transaction for each turn, and two processes against one.

The server is a real one with its usual durability; every chain is verified after each measurement.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Plan, Result, result
from benchmarks.pg_appends import REPLICAS, WRITERS, Appenders
from benchmarks.pg_processes import Replicas, verified
from benchmarks.processes import CORES
from tests.postgres import Postgres

TURNS = 200
"""Per round, ledger and writer: enough that how a session begins does not count for much."""
DECIDING = 32
"""Writers of a replica that decides."""
SECONDS = 2.0
"""Of load for each round of processes."""
ENOUGH_CORES = 6
"""Two replicas, their server and its disk want a core each, and so does whoever measures."""

DURABLE = ("fsync = on", "full_page_writes = on", "autovacuum = on")


def run(plan: Plan) -> list[Result]:
    with durable_server() as server:
        return [*_groups(plan, server), _replicas(plan, server.url(server.migrated()))]


@contextmanager
def durable_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="mutx-bench-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder)
        server.start()
        try:
            for setting in DURABLE:
                server.execute(f"ALTER SYSTEM SET {setting}")
            server.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.stop()


def _groups(plan: Plan, server: Postgres) -> list[Result]:
    url, turns = server.url(server.migrated()), plan.count(TURNS)
    with Appenders(server, url) as replicas:
        rounds = [(replicas.load(True, turns), replicas.load(False, turns)) for _ in range(plan.rounds + 1)]
    asyncio.run(verified(url))
    rounds = rounds[1:]  # what a new connection has to learn is not measured
    against = (
        f"{REPLICAS} replicas of {WRITERS} writers, SELECT ... FOR UPDATE and a commit per turn, same tables, fsync=on"
    )
    return [
        result(
            "pg_append_over_for_update",
            [each.cpu / group.cpu for group, each in rounds],
            "x",
            f"CPU of replicas and server per turn: {against}",
            3,
            at_least=True,
        ),
        result(
            "pg_append_rate_over_for_update",
            [group.per_second / each.per_second for group, each in rounds],
            "x",
            f"turns per second, as disk and neighbours allow: {against}",
            3,
            at_least=True,
        ),
    ]


def _replicas(plan: Plan, url: str) -> Result:
    with Replicas(url, 2, DECIDING) as replicas:
        runs = [
            replicas.rate(2, plan.scale * SECONDS) / replicas.rate(1, plan.scale * SECONDS) for _ in range(plan.rounds)
        ]
    asyncio.run(verified(url))
    return result(
        "pg_two_replicas_over_one",
        runs,
        "x",
        f"decisions per second: one process of {DECIDING} writers; 1 session in 8 shared; {len(CORES)} cores",
        1.6 if len(CORES) >= ENOUGH_CORES else 0,
        at_least=True,
    )
