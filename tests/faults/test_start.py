"""What a start refuses, in words that say what to do, without touching what is there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mutx.kit.errors import KeyUnusable
from mutx.server.wiring import build
from tests.faults.process import Up, free_port, try_up
from tests.faults.world import call, client, inhabited, post, settings, started


def unreadable(key: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    key.chmod(0)


def a_link(key: Path) -> None:
    key.rename(key.with_suffix(".moved"))
    key.symlink_to(key.with_suffix(".moved"))


def a_folder(key: Path) -> None:
    key.unlink()
    key.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "unreadable": unreadable,
    "readable by all": lambda key: key.chmod(0o644),
    "garbage": lambda key: key.write_bytes(os.urandom(200)),
    "empty": lambda key: key.write_bytes(b""),
    "cut off": lambda key: key.write_bytes(key.read_bytes()[:60]),
    "another kind of key": lambda key: key.write_text("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
    "a link": a_link,
    "a folder": a_folder,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_an_unusable_signing_key_beside_receipts(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    home, key = tmp_path / "home", tmp_path / "home" / "keys" / "receipts.pem"
    async with started(home) as plane, inhabited(plane) as world:
        kept = await world.decide("read")
    good = key.read_bytes()
    damage(key)
    with pytest.raises(KeyUnusable) as refused:
        await build(settings(home))
    assert refused.value.code == "key_unusable"
    assert str(key) in str(refused.value)
    assert good not in str(refused.value).encode()
    if key.is_dir():
        key.rmdir()
    key.unlink(missing_ok=True)
    key.touch(0o600)
    key.write_bytes(good)
    async with started(home) as plane, client(plane, await plane.local_token()) as operator:
        receipt = await operator.get(f"/v1/security/receipts/{kept['receipt_id']}")
        assert receipt.status_code == 200
        assert (await post(operator, "/v1/governance/decide", call("read")))["seq"] == kept["seq"] + 1


@pytest.mark.parametrize("name", ["tokens.jwk", "secrets.key"])
async def test_other_keys_are_not_made_anew_over_damage(tmp_path: Path, name: str) -> None:
    async with started(tmp_path / "home"):
        key = tmp_path / "home" / "keys" / name
    key.write_bytes(b"garbage")
    with pytest.raises(KeyUnusable):
        await build(settings(tmp_path / "home"))
    assert key.read_bytes() == b"garbage"


def test_the_command_line_says_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Up(home) as up:
        same_home, same_port = try_up(home), try_up(tmp_path / "other", up.port)
    for refused, says in ((same_home, "another MUTX process"), (same_port, f"port {up.port} on 127.0.0.1 is in use")):
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith("Error: ")
        assert says in refused.stderr
        assert "Traceback" not in refused.stderr
    (home / "keys" / "tokens.jwk").write_text("garbage")
    damaged = try_up(home, free_port())
    assert damaged.returncode == 1
    assert "the token signing key" in damaged.stderr.splitlines()[-1]


def test_a_home_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = try_up(tmp_path / "file")
    assert refused.returncode == 1
    assert "set MUTX_HOME to a directory of yours" in refused.stderr
