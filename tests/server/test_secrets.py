"""Keys of an installation: files on one's own machine, sealed in the store for a fleet; never weak in production."""

import asyncio
import base64
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from mutx.cli.main import cli
from mutx.kit.errors import KeyUnusable, SetupError
from mutx.server.reseal import SEALING_FILE
from mutx.server.settings import Settings, read_settings
from mutx.server.wiring import ControlPlane, build
from mutx.services.identity.sealing import new_sealing_key
from mutx.services.identity.token_keys import key_id_in
from mutx.storage.installation import InstallationSecretRow
from tests.faults.world import client

OLD, NEW = new_sealing_key(), new_sealing_key()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_ENCRYPTION_KEY", "DATABASE_URL", "MUTX_HOME", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def started(
    home: Path, store: Path | str | None = None, key: str = "", port: int = 8000
) -> AsyncIterator[ControlPlane]:
    url = f"sqlite+aiosqlite:///{store}" if isinstance(store, Path) else store or ""
    plane = await build(Settings(home=home, database_url=url, secret_encryption_key=key, port=port))
    try:
        yield plane
    finally:
        await plane.stop()


async def new_key(plane: ControlPlane) -> str:
    async with client(plane, await plane.local_token()) as http:
        made = await http.post("/v1/api-keys", json={"name": "ci"})
    return str(made.json()["key"])


async def status(plane: ControlPlane, credential: str) -> int:
    async with client(plane, credential) as http:
        return (await http.get("/v1/auth/me")).status_code


async def test_replicas_that_share_store_and_sealing_key_have_the_same_keys(tmp_path: Path) -> None:
    store = tmp_path / "shared.db"
    async with started(tmp_path / "one", store, OLD) as one:
        key, token = await new_key(one), await one.local_token()
        async with one.services.database.read() as session:
            sealed = list(await session.scalars(select(InstallationSecretRow.sealed)))
    assert len(sealed) == 2
    assert not list((tmp_path / "one" / "keys").glob("s*.key*"))
    copy_keys(tmp_path, "receipts.pem", "receipts.jwks.json")  # that key stays a file, the same in every home
    async with started(tmp_path / "two", store, f"{NEW},{OLD}") as two:
        assert (await status(two, key), await status(two, token)) == (200, 200)


def copy_keys(homes: Path, *names: str) -> None:
    """From `one` to `two`."""
    (homes / "two" / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        shutil.copy2(homes / "one" / "keys" / name, homes / "two" / "keys" / name)


async def test_a_replica_takes_what_another_signed_or_does_not_start(tmp_path: Path, postgres_url: str) -> None:
    async with started(tmp_path / "one", postgres_url) as one:
        key, token = await new_key(one), await one.local_token()
    assert not list((tmp_path / "one" / "keys").glob("tokens.*")), "they lie in the database, for all replicas"
    copy_keys(tmp_path, "receipts.pem", "receipts.jwks.json")
    with pytest.raises(KeyUnusable, match=f"copy keys/{SEALING_FILE}"):
        async with started(tmp_path / "two", postgres_url, port=8001):
            pass
    copy_keys(tmp_path, SEALING_FILE)
    async with started(tmp_path / "two", postgres_url, port=8001) as two:
        assert (await status(two, key), await status(two, token)) == (200, 200)


async def test_the_files_of_a_laptop_move_into_the_store(tmp_path: Path) -> None:
    async with started(tmp_path) as laptop:
        key = await new_key(laptop)
    async with started(tmp_path, key=OLD) as fleet:
        assert await status(fleet, key) == 200
    for name in ("tokens.jwk", "secrets.key"):
        (tmp_path / "keys" / name).unlink()
    async with started(tmp_path, key=OLD) as fleet:
        assert await status(fleet, key) == 200


async def test_a_lost_sealing_key_makes_no_new_keys(tmp_path: Path) -> None:
    async with started(tmp_path, key=OLD):
        pass
    with pytest.raises(KeyUnusable, match="SECRET_ENCRYPTION_KEY"):
        async with started(tmp_path):
            pass
    with pytest.raises(KeyUnusable, match="put that key back"):
        async with started(tmp_path, key=NEW):
            pass


def run(*words: str, **environment: str) -> Result:
    result = CliRunner(env=environment).invoke(cli, ["secrets", *words], prog_name="mutx")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


async def prepared(home: Path, key: str) -> None:
    async with started(home, key=key):
        pass


def test_putting_everything_under_a_new_key(tmp_path: Path) -> None:
    asyncio.run(prepared(tmp_path, OLD))
    here = {"MUTX_HOME": str(tmp_path)}
    before = json.loads(run("status", "--json", **here, SECRET_ENCRYPTION_KEY=OLD).stdout)
    ((used_by, sealed),) = before["used"].items()
    assert used_by == before["key_id"]
    assert sealed > 2, "both keys of the installation, and what stands in its audit log"
    told = json.loads(run("reseal", "--json", **here, SECRET_ENCRYPTION_KEY=f"{NEW},{OLD}").stdout)
    assert told["resealed"] == sealed
    assert told["used"] == {told["key_id"]: sealed}
    assert told["key_id"] != before["key_id"]
    assert "0 secrets were put" in run("reseal", **here, SECRET_ENCRYPTION_KEY=NEW).stdout
    assert f"seals {sealed}" in run("status", **here, SECRET_ENCRYPTION_KEY=NEW).stdout
    assert "signs tokens from the next start on" in run("rotate-tokens", **here, SECRET_ENCRYPTION_KEY=NEW).stdout
    assert json.loads(run("rotate-tokens", "--json", **here, SECRET_ENCRYPTION_KEY=NEW).stdout)["key_id"]
    assert run("status", **here, SECRET_ENCRYPTION_KEY=OLD).exit_code != 0
    assert run("rotate", **here, SECRET_ENCRYPTION_KEY=NEW).exit_code != 0
    asyncio.run(prepared(tmp_path, NEW))


def test_a_key_file_rotates_by_itself(tmp_path: Path) -> None:
    asyncio.run(prepared(tmp_path, ""))
    path = tmp_path / "keys" / SEALING_FILE
    first = path.read_text()
    assert run("rotate", MUTX_HOME=str(tmp_path)).exit_code == 0
    assert path.read_text() != first
    assert len(path.read_text().split()) == 1
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["", OLD], ids=["file", "sealed"])
def test_tokens_are_signed_with_a_new_key_and_logins_go_on(tmp_path: Path, key: str) -> None:
    async def token() -> tuple[str, list[str]]:
        async with started(tmp_path, key=key) as plane, client(plane) as http:
            kids = [each["kid"] for each in (await http.get("/.well-known/jwks.json")).json()["keys"]]
            return await plane.local_token(), kids

    async def works(credential: str) -> int:
        async with started(tmp_path, key=key) as plane:
            return await status(plane, credential)

    before, first = asyncio.run(token())
    told = run("rotate-tokens", MUTX_HOME=str(tmp_path), SECRET_ENCRYPTION_KEY=key)
    assert "signs tokens from the next start on" in told.stdout
    after, second = asyncio.run(token())
    assert second[1:] == first
    assert key_id_in(after) == second[0] != key_id_in(before)
    assert asyncio.run(works(before)) == 200
    (again,) = (run("rotate-tokens", "--json", MUTX_HOME=str(tmp_path), SECRET_ENCRYPTION_KEY=key),)
    assert json.loads(again.stdout)["key_id"] not in second


def test_a_new_key_is_one() -> None:
    made = run("new-key").stdout.strip()
    assert read_settings(secret_encryption_key=made).secret_encryption_key.get_secret_value() == made


PRODUCTION = {"environment": "production", "secret_encryption_key": NEW}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"environment": "production"}, "SECRET_ENCRYPTION_KEY must be set"),
        ({"secret_encryption_key": "changeme"}, "SECRET_ENCRYPTION_KEY"),
        ({"secret_encryption_key": base64.b64encode(b"a" * 32).decode()}, "SECRET_ENCRYPTION_KEY"),
        ({**PRODUCTION, "local_bootstrap": True}, "LOCAL_BOOTSTRAP"),
        ({**PRODUCTION, "public_url": "http://m.example"}, "PUBLIC_URL"),
        ({**PRODUCTION, "database_url": "postgresql+asyncpg://mutx:mutx@db/mutx"}, "DATABASE_URL"),
        ({**PRODUCTION, "database_url": "postgresql+asyncpg://mutx:ch%61ngeme@db/mutx"}, "DATABASE_URL"),
        ({**PRODUCTION, "smtp_password": "password"}, "SMTP_PASSWORD"),
        ({**PRODUCTION, "approval_webhook_secret": "whsec_c2VjcmV0"}, "APPROVAL_WEBHOOK_SECRET"),
        ({**PRODUCTION, "approval_webhook_secret": "whsec_!"}, "APPROVAL_WEBHOOK_SECRET"),
        ({"environment": "Production!"}, "ENVIRONMENT"),
        ({"require_email_verification": True}, "SMTP_HOST"),
    ],
)
def test_weak_secrets_are_refused_by_name_and_never_shown(given: dict, says: str) -> None:
    with pytest.raises(SetupError, match=says) as refused:
        read_settings(**given)
    for name in ("secret_encryption_key", "smtp_password", "approval_webhook_secret"):
        assert len(given.get(name, "")) < 10 or given[name] not in str(refused.value)


def test_strong_secrets_are_taken() -> None:
    webhook = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    database = f"postgresql+asyncpg://mutx:{secrets.token_urlsafe()}@db/mutx"
    settings = read_settings(**PRODUCTION, approval_webhook_secret=webhook, database_url=database)
    assert not settings.bootstraps_locally


def test_nobody_is_signed_in_locally_where_a_proxy_stands_in_front() -> None:
    assert Settings(public_url="http://localhost:9000").bootstraps_locally
    assert not Settings(public_url="https://m.example").bootstraps_locally
    assert Settings(public_url="https://m.example", local_bootstrap=True).bootstraps_locally
