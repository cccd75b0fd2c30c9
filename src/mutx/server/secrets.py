"""The keys of this installation: what seals, what signs tokens, what hashes API keys.

On one's own machine they are files of the home directory. Where SECRET_ENCRYPTION_KEY is set, and where the database may
have several replicas, only the key that seals is in a home or the environment: the others lie sealed in the database, so
that replicas that share the two have the same keys, and one with another key that seals does not start.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import KeyUnusable
from mutx.server.settings import Settings
from mutx.services.identity.keyfiles import load_or_create, read_private
from mutx.services.identity.sealing import Sealer, key_id_of, new_sealing_key, place, read_sealing_keys
from mutx.services.identity.secrets import new_pepper
from mutx.services.identity.token_keys import TokenKeys, new_signing_key, with_new_key
from mutx.services.signing.files import replace_durably
from mutx.storage.engine import Database
from mutx.storage.installation import InstallationSecretRow, sealed_secret

SEALING_FILE = "sealing.keys"

FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "token-keys": ("tokens.jwk", new_signing_key),
    "secrets-pepper": ("secrets.key", new_pepper),
}
"""A secret, the file it stands in where it is a file, and how one is made."""


class InstallationKeys(Struct, frozen=True):
    token_keys: bytes
    """Private JWK, or a set of them."""
    pepper: bytes

    def __repr__(self) -> str:
        return "InstallationKeys(***)"


def open_sealer(settings: Settings) -> Sealer:
    """With SECRET_ENCRYPTION_KEY, else with the home's own key file, made on first use. Raises KeyUnusable."""
    given = settings.secret_encryption_key.get_secret_value()
    if not given:
        path = settings.home / "keys" / SEALING_FILE
        given = load_or_create(path, lambda: new_sealing_key().encode()).decode("ascii", "replace")
    return Sealer(read_sealing_keys(given))


def keys_in_files(settings: Settings) -> InstallationKeys:
    """The home's own keys; made where they are missing. Raises KeyUnusable."""
    return InstallationKeys(*(load_or_create(_path(settings, name), FILES[name][1]) for name in FILES))


async def installation_keys(settings: Settings, database: Database, sealer: Sealer, clock: Clock) -> InstallationKeys:
    """The keys; those of the home's files move into the database once that is to have them. Raises KeyUnusable."""
    if _in_store(settings):
        return InstallationKeys(*[await _kept(settings, database, sealer, clock, name) for name in FILES])
    async with database.read() as session:
        sealed = await session.scalar(select(InstallationSecretRow.id).limit(1))
    if sealed is not None:
        raise KeyUnusable("this database holds keys sealed under SECRET_ENCRYPTION_KEY; set it to the same value again")
    return keys_in_files(settings)


async def rotate_token_keys(settings: Settings, database: Database, sealer: Sealer, clock: Clock) -> str:
    """Sign tokens with a new key from the next start on; what the older ones signed goes on. The new key's id."""
    name = "token-keys"
    keys = with_new_key((await installation_keys(settings, database, sealer, clock)).token_keys)
    if _in_store(settings):
        sealed = sealer.seal(keys, context=place(InstallationSecretRow.__tablename__, "sealed", name))
        async with database.write() as session:
            row = await session.get_one(InstallationSecretRow, name)
            row.sealed = sealed
    else:
        replace_durably(_path(settings, name), keys)
    return str(TokenKeys(keys).jwks()["keys"][0]["kid"])


async def _kept(settings: Settings, database: Database, sealer: Sealer, clock: Clock, name: str) -> bytes:
    context = place(InstallationSecretRow.__tablename__, "sealed", name)
    async with database.read() as session:
        sealed = await sealed_secret(session, name)
    if sealed is not None:
        _require(sealer, key_id_of(sealed))
        return sealer.open(sealed, context=context)
    path = _path(settings, name)
    value = read_private(path) if path.exists() else FILES[name][1]()
    try:
        async with database.write() as session:
            row = InstallationSecretRow(id=name, sealed=sealer.seal(value, context=context))
            row.created_at = to_datetime(clock.now())
            session.add(row)
    except IntegrityError:  # another replica started at the same moment: its key counts
        return await _kept(settings, database, sealer, clock, name)
    return value


def _in_store(settings: Settings) -> bool:
    return settings.is_shared or bool(settings.secret_encryption_key.get_secret_value())


def _require(sealer: Sealer, key_id: str) -> None:
    """Raises KeyUnusable where this process cannot open what the first one sealed."""
    if not sealer.has(key_id):
        raise KeyUnusable(
            f"the keys of this database are sealed under the key {key_id}, which is not here; set SECRET_ENCRYPTION_KEY to "
            f"the value it has elsewhere, or copy keys/{SEALING_FILE} of the home that started first; after a change of "
            "keys, put that key back, behind the one in use, and run `mutx secrets reseal`"
        )


def _path(settings: Settings, name: str) -> Path:
    return settings.home / "keys" / FILES[name][0]
