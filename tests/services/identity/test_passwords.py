import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from mutx.kit.errors import InputError
from mutx.services.identity.passwords import MIN_LENGTH, Passwords, check_strength


@pytest.fixture
def passwords():
    made = Passwords()
    yield made
    made.close()


async def test_a_password_verifies_and_another_does_not(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify("correct horse battery", stored) == (True, None)
    assert await passwords.verify("correct horse", stored) == (False, None)


async def test_nobody_has_no_password_whatever_it_is(passwords: Passwords) -> None:
    assert await passwords.verify("anything", None) == (False, None)


async def test_a_weaker_hash_is_replaced_when_it_is_seen(passwords: Passwords) -> None:
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),)).hash("correct horse battery")
    matches, stronger = await passwords.verify("correct horse battery", weak)
    assert matches
    assert stronger is not None
    assert await passwords.verify("correct horse battery", stronger) == (True, None)


WEAK = (
    "a" * MIN_LENGTH,
    "x" * (MIN_LENGTH - 1),
    "ana.b@example.org",
    "ana.b@example.org!",
    "abcabcabcabc",
    "passwordpassword",
    "qwertyuiopas",
    "mlkjihgfedcb",
    "123456789012",
    "lkjhgfdsapoi",
)


@pytest.mark.parametrize("password", WEAK)
def test_weak_passwords(password: str) -> None:
    with pytest.raises(InputError, match="choose a password"):
        check_strength(password, email="ana.b@example.org")


def test_length_is_all_that_is_asked_for() -> None:
    check_strength("quiet river stones", email="ana@example.org")
    check_strength("тихая река камни", email="ana@example.org")
