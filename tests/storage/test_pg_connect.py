"""TLS to PostgreSQL as its modes promise, chosen by argument, setting and URL in that order."""

from pathlib import Path

import asyncpg
import pytest
from asyncpg import exceptions

from mutx.kit.errors import SetupError, Unavailable
from mutx.server.database import open_database
from mutx.server.settings import Settings
from mutx.storage.pg_connect import Connector, PostgresOptions, refusal_of, resolve, ssl_mode
from mutx.storage.pg_database import PostgresDatabase
from tests.postgres import Postgres
from tests.tls_road import Certificates, TlsRoad, certificates

PLAIN, ENCRYPTED = [False], [True]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("keys"), "127.0.0.1")


async def used(road: TlsRoad, mode: str, query: str = "") -> list[bool]:
    """Whether a connection in this mode was encrypted. Raises what the connector raises."""
    async with road.open() as port:
        connector = Connector(f"postgresql://postgres@127.0.0.1:{port}/postgres{query}", PostgresOptions(ssl_mode=mode))
        connection = await connector()
        assert await connection.fetchval("SHOW timezone") == "UTC"
        await connection.close()
    return road.used


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("disable", PLAIN), ("allow", PLAIN), ("prefer", ENCRYPTED), ("require", ENCRYPTED), ("", ENCRYPTED)],
)
async def test_a_server_with_tls(postgres: Postgres, keys: Certificates, mode: str, expected: list[bool]) -> None:
    assert await used(TlsRoad(postgres.port, keys), mode) == expected


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
async def test_a_server_without_tls(postgres: Postgres, mode: str) -> None:
    assert await used(TlsRoad(postgres.port, None), mode) == PLAIN


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_where_tls_is_required(postgres: Postgres, keys: Certificates, mode: str) -> None:
    road = TlsRoad(postgres.port, None)
    with pytest.raises(SetupError, match="offers no TLS"):
        await used(road, mode, f"?sslrootcert={keys.authority}")
    assert road.used == []


@pytest.mark.parametrize("mode", ["allow", "prefer", "require"])
async def test_a_server_that_wants_tls(postgres: Postgres, keys: Certificates, mode: str) -> None:
    assert await used(TlsRoad(postgres.port, keys, only=True), mode) == ENCRYPTED


async def test_a_server_that_wants_tls_and_does_not_get_it(postgres: Postgres, keys: Certificates) -> None:
    with pytest.raises(SetupError, match="SSL mode"):
        await used(TlsRoad(postgres.port, keys, only=True), "disable")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_of_the_known_authority(postgres: Postgres, keys: Certificates, mode: str) -> None:
    assert await used(TlsRoad(postgres.port, keys), mode, f"?sslrootcert={keys.authority}") == ENCRYPTED


async def test_a_certificate_for_another_name(postgres: Postgres, tmp_path: Path) -> None:
    other = certificates(tmp_path, "db.example.org")
    query = f"?sslrootcert={other.authority}"
    assert await used(TlsRoad(postgres.port, other), "verify-ca", query) == ENCRYPTED
    with pytest.raises(SetupError, match="certificate"):
        await used(TlsRoad(postgres.port, other), "verify-full", query)


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_of_nobody_known(
    postgres: Postgres, keys: Certificates, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = certificates(tmp_path, "127.0.0.1")
    with pytest.raises(SetupError, match="certificate"):
        await used(TlsRoad(postgres.port, keys), mode, f"?sslrootcert={stranger.authority}")
    with pytest.raises(SetupError, match="TLS"):
        await used(TlsRoad(postgres.port, keys), mode, f"?sslrootcert={tmp_path / 'nowhere.pem'}")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SetupError, match="root certificate"):
        await used(TlsRoad(postgres.port, keys), mode)


def mode_of(tmp_path: Path, url: str, setting: str = "", argument: str = "") -> str:
    settings = Settings(home=tmp_path, database_url=url, database_ssl_mode=setting)
    database = open_database(settings, ssl_mode=argument)
    assert isinstance(database, PostgresDatabase)
    return database.connect.ssl_mode


def test_the_argument_goes_before_the_setting_and_the_setting_before_the_url(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://ana@host/db"
    assert mode_of(tmp_path, url) == "prefer"
    assert mode_of(tmp_path, f"{url}?sslmode=verify-ca") == "verify-ca"
    assert mode_of(tmp_path, f"{url}?ssl=true") == "require"
    assert mode_of(tmp_path, f"{url}?sslmode=verify-ca", "require") == "require"
    assert mode_of(tmp_path, f"{url}?sslmode=verify-ca", "require", "off") == "disable"
    with pytest.raises(SetupError, match="sometimes"):
        mode_of(tmp_path, url, "sometimes")


@pytest.mark.parametrize(
    ("said", "means"),
    [("1", "require"), (" Yes ", "require"), ("0", "disable"), ("OFF", "disable"), ("Verify-Full", "verify-full")],
)
def test_older_words_for_modes(said: str, means: str) -> None:
    assert ssl_mode(said) == means


def test_urls_keep_what_they_say() -> None:
    assert resolve("postgres:///db?host=/run/pg&ssl=require") == ("postgresql:///db?host=%2Frun%2Fpg", "require")
    with pytest.raises(SetupError, match="DATABASE_URL"):
        resolve("mysql://host/db")


async def test_a_url_that_cannot_be_read() -> None:
    with pytest.raises(SetupError, match="DATABASE_URL"):
        await Connector("postgresql://ana@host:port/db", PostgresOptions())()


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (exceptions.CannotConnectNowError("starting"), Unavailable),
        (exceptions.TooManyConnectionsError("full"), Unavailable),
        (exceptions.AdminShutdownError("stopping"), Unavailable),
        (asyncpg.InterfaceError("closed"), Unavailable),
        (TimeoutError(), Unavailable),
        (exceptions.UndefinedObjectError("odd"), SetupError),
    ],
)
def test_what_waiting_can_mend_and_what_not(error: Exception, means: type[Exception]) -> None:
    assert type(refusal_of(error)) is means
