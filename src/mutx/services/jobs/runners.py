"""Which replicas run jobs, so that those of a dead one are taken over. PostgreSQL only: a SQLite file has one runner.

Each runner writes down that it lives. Who finds one that has not for `DEAD_SECONDS`, by the database's clock, removes it,
and the one who removed it hands its jobs out again.
"""

from sqlalchemy import Engine, create_engine, text

BEAT_SECONDS = 5.0
DEAD_SECONDS = 30.0

CREATE = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    "CREATE TABLE IF NOT EXISTS {schema}.runners (id text PRIMARY KEY, seen_at timestamptz NOT NULL)",
)
BEAT = (
    "INSERT INTO {schema}.runners (id, seen_at) VALUES (:id, now()) "
    "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
)
LEAVE = "UPDATE {schema}.runners SET seen_at = 'epoch' WHERE id = :id"
BURY = (
    "DELETE FROM {schema}.runners WHERE id IN (SELECT id FROM {schema}.runners "
    "WHERE seen_at < now() - make_interval(secs => :dead) FOR UPDATE SKIP LOCKED) RETURNING id"
)


class Runners:
    """The register of runners in the job database. Blocking: call it off the event loop."""

    def __init__(self, url: str, schema: str, *, dead: float = DEAD_SECONDS) -> None:
        """`schema`: a trusted name. `dead`: seconds of silence."""
        self._engine: Engine = create_engine(url, pool_size=1, max_overflow=1, pool_pre_ping=True)
        self._schema = schema
        self._dead = dead

    def enter(self, runner: str) -> None:
        with self._engine.begin() as connection:
            # two replicas that start together would both create
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": self._schema})
            for statement in CREATE:
                connection.execute(text(statement.format(schema=self._schema)))
        self.beat(runner)

    def beat(self, runner: str) -> None:
        self._execute(BEAT, {"id": runner})

    def leave(self, runner: str) -> None:
        """The others may take over at once."""
        self._execute(LEAVE, {"id": runner})

    def bury(self) -> list[str]:
        """Runners that died; each is told to one caller only."""
        with self._engine.begin() as connection:
            found = connection.execute(text(BURY.format(schema=self._schema)), {"dead": self._dead})
            return [row.id for row in found]

    def close(self) -> None:
        self._engine.dispose()

    def _execute(self, statement: str, values: dict[str, str]) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement.format(schema=self._schema)), values)
