"""Secrets, the files of keys, and the memory of verified callers."""

import stat
from pathlib import Path

import pytest

from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.clock import ManualClock
from mutx.kit.errors import KeyUnusable
from mutx.services.identity.keyfiles import load_or_create
from mutx.services.identity.secrets import SecretHasher, SecretKind, hint_of, kind_of, mint, new_pepper
from mutx.services.identity.verified import FRESH_SECONDS, VerifiedCallers

ANA = Caller(workspace_id="w", principal_id="p", kind=PrincipalKind.PERSON, door=Door.HTTP, user_id="u")


@pytest.mark.parametrize("kind", SecretKind)
def test_a_secret_says_what_it_is_for(kind: SecretKind) -> None:
    secret = mint(kind)
    assert kind_of(secret) is kind
    assert len(secret) - len(kind) >= 43
    assert secret.startswith(hint_of(secret))
    assert len(hint_of(secret)) == len(kind) + 4
    assert mint(kind) != secret


def test_what_is_no_secret() -> None:
    assert kind_of("eyJ") is None
    assert hint_of("eyJ") == ""


def test_digests_depend_on_the_installation() -> None:
    one, other = SecretHasher(new_pepper()), SecretHasher(new_pepper())
    assert one.digest("s") == one.digest("s") != other.digest("s")
    assert len(one.digest("s")) == 64
    with pytest.raises(KeyUnusable, match="32 bytes"):
        SecretHasher(b"short")


def test_a_key_file_is_made_once_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    first = load_or_create(path, new_pepper)
    assert load_or_create(path, new_pepper) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_key_files_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    load_or_create(path, new_pepper)
    path.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_or_create(path, new_pepper)
    path.chmod(0o600)
    path.write_bytes(b"")
    with pytest.raises(KeyUnusable, match="empty"):
        load_or_create(path, new_pepper)
    with pytest.raises(KeyUnusable, match="cannot write"):
        load_or_create(tmp_path / "missing" / "k", new_pepper)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyUnusable, match="cannot read"):
        load_or_create(tmp_path / "dangling", new_pepper)


def test_a_verification_holds_for_a_moment() -> None:
    clock = ManualClock()
    callers = VerifiedCallers(clock)
    callers.put("t", ANA, epoch=callers.epoch, expires_at=None)
    assert callers.get("t") is ANA
    clock.advance(FRESH_SECONDS)
    assert callers.get("t") is None


def test_a_verification_never_outlives_its_credential() -> None:
    clock = ManualClock()
    callers = VerifiedCallers(clock)
    callers.put("t", ANA, epoch=callers.epoch, expires_at=clock.now() + 1)
    clock.advance(1)
    assert callers.get("t") is None


def test_what_was_under_way_during_a_revocation_does_not_count() -> None:
    callers = VerifiedCallers(ManualClock())
    before = callers.epoch
    callers.revoke()
    callers.put("t", ANA, epoch=before, expires_at=None)
    assert callers.get("t") is None


def test_the_memory_is_bounded() -> None:
    callers = VerifiedCallers(ManualClock(), limit=2)
    for token in "abc":
        callers.put(token, ANA, epoch=callers.epoch, expires_at=None)
    assert [callers.get(token) is not None for token in "abc"] == [False, True, True]
