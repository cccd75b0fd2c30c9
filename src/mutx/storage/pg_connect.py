"""How this process reaches PostgreSQL: the URL, TLS, and what every connection is set to.

The URL is libpq's (`postgresql://user:password@host:5432/database?sslrootcert=ca.pem`); asyncpg reads it, and takes from
the environment what libpq would (PGPASSWORD, PGSSLROOTCERT, ...).
"""

import asyncio
import ssl
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from asyncpg import exceptions
from msgspec import Struct

from mutx.kit.errors import MutxError, SetupError, Unavailable

ON, OFF = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", "disable"}
SSL_MODES = {"allow", "prefer", "require", "verify-ca", "verify-full"}
DEFAULT_SSL_MODE = "prefer"
"""TLS where the server offers it; libpq's default too."""

OLDEST = 15
"""The oldest major version of PostgreSQL that is tested."""

SETTLE = """SELECT set_config('timezone', 'UTC', false), set_config('synchronous_commit',
    CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"""
"""What a server may have set otherwise: times are UTC, and a commit is on disk when it returns."""


class PostgresOptions(Struct, frozen=True, kw_only=True):
    """How to connect, and how many connections to keep. Seconds."""

    ssl_mode: str = ""
    """`disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`, or yes/no; empty: what the URL says."""
    pool_size: int = 10
    max_overflow: int = 10
    pool_seconds: float = 5.0
    """How long a request waits for a connection."""
    connect_seconds: float = 10.0


def ssl_mode(value: str) -> str:
    """The mode that a setting means. Raises SetupError."""
    lowered = value.strip().lower()
    if lowered in ON:
        return "require"
    if lowered in OFF:
        return "disable"
    if lowered in SSL_MODES:
        return lowered
    raise SetupError(
        f"unsupported PostgreSQL SSL mode {value!r}; choose disable or one of {', '.join(sorted(SSL_MODES))}"
    )


class Connector:
    """Opens connections to one database."""

    def __init__(self, url: str, options: PostgresOptions) -> None:
        """Raises SetupError for a URL or a mode that means nothing."""
        self._dsn, self.ssl_mode = resolve(url, options.ssl_mode)
        self._seconds = options.connect_seconds

    async def __call__(self) -> Any:
        """A new asyncpg connection. Raises Unavailable while the server is not to be reached, SetupError where it refuses."""
        try:
            connection = await asyncpg.connect(self._dsn, ssl=self.ssl_mode, timeout=self._seconds)
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _refuse(error)
        try:
            await connection.execute(SETTLE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            connection.terminate()
            _refuse(error)
        except asyncio.CancelledError:
            connection.terminate()
            raise
        return connection


def resolve(url: str, chosen: str = "") -> tuple[str, str]:
    """The URL without its SSL mode, and the mode: the one chosen, else the URL's, else the default. Raises SetupError."""
    dsn, named = _split(url)
    return dsn, ssl_mode(chosen or named or DEFAULT_SSL_MODE)


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise SetupError("DATABASE_URL must be sqlite:///path/to/file or postgresql://user@host/database")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    named = [query.pop(name, "") for name in ("sslmode", "ssl")]
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query), ""))
    # urlunsplit drops the `//` of an empty host, and with it what makes this a URL.
    return (dsn if parts.netloc else dsn.replace("postgresql:", "postgresql://", 1)), next(filter(None, named), "")


LATER = (
    exceptions.CannotConnectNowError,
    exceptions.TooManyConnectionsError,
    exceptions.PostgresConnectionError,
    exceptions.OperatorInterventionError,
)


def _refuse(error: Exception) -> NoReturn:
    """Whether waiting may help. No text repeats the URL: it may hold a password."""
    raise refusal_of(error) from error


def refusal_of(error: Exception) -> MutxError:
    if isinstance(error, (ssl.SSLError, FileNotFoundError, PermissionError)):
        why = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or "no TLS in common"
        return SetupError(
            f"TLS with PostgreSQL failed ({why}); check DATABASE_SSL_MODE and the certificates in DATABASE_URL"
        )
    if type(error) is ConnectionError and "SSL" in str(error):
        return SetupError(
            "PostgreSQL offers no TLS and DATABASE_SSL_MODE wants it; turn `ssl` on there, or use `prefer`"
        )
    if isinstance(error, exceptions.ClientConfigurationError):
        return SetupError(f"DATABASE_URL or its TLS files: {error}")
    if isinstance(error, (exceptions.InvalidAuthorizationSpecificationError, exceptions.InvalidPasswordError)):
        return SetupError(
            "PostgreSQL refuses this user; check user, password and SSL mode in DATABASE_URL and pg_hba.conf"
        )
    if isinstance(error, exceptions.InvalidCatalogNameError):
        return SetupError("this PostgreSQL has no such database; create it (`createdb`), or correct DATABASE_URL")
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, LATER):
        return SetupError(f"PostgreSQL refuses the connection ({error.sqlstate}); see its log")
    if isinstance(error, ValueError):
        return SetupError("DATABASE_URL cannot be read; it must be postgresql://user@host:port/database")
    return Unavailable("PostgreSQL cannot be reached; check that it runs and that DATABASE_URL names it")
