"""Passwords: argon2id, off the event loop, in the same time whether or not the account exists."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from mutx.kit.errors import InputError
from mutx.kit.ids import new_token

T = TypeVar("T")

MIN_LENGTH, MAX_LENGTH = 12, 256
MIN_DISTINCT = 5
BCRYPT_BYTES = 72
"""What bcrypt reads of a password; whoever made older hashes with it cut off the rest."""
ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")


def check_strength(password: str, *, email: str, least: int = MIN_LENGTH) -> None:
    """NIST SP 800-63B §3.1.1.2: length counts, composition rules do not. Raises InputError that says what to change."""
    if not least <= len(password) <= MAX_LENGTH:
        raise InputError(f"choose a password of {least} to {MAX_LENGTH} characters; several words make a good one")
    if len(set(password)) < MIN_DISTINCT or _is_repeated(password) or _is_row(password.lower()):
        raise InputError("choose a password that is no row or repetition; several words make a good one")
    local_part = email.partition("@")[0].lower()
    if password.lower() in {email.lower(), local_part * 2} or password.lower().startswith(email.lower()):
        raise InputError("choose a password that is not your e-mail address")


def _is_repeated(password: str) -> bool:
    """One part over and over: found in itself doubled before its end."""
    return (password + password).find(password, 1) < len(password)


def _is_row(password: str) -> bool:
    """Neighbours on a keyboard, letters of the alphabet or digits, forwards or backwards."""
    rows = [row * (len(password) // len(row) + 2) for row in ROWS]
    return any(password in row or password[::-1] in row for row in rows)


class _OlderBcrypt(BcryptHasher):
    """Hashes that came from elsewhere: they verify, and a login replaces them."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the name is the library's
        data = password.encode() if isinstance(password, str) else password
        return super().verify(data[:BCRYPT_BYTES], hash)


class Passwords:
    """Hashes on two threads of its own: a burst of logins never holds up the event loop, nor takes every core."""

    def __init__(self, *, least: int = MIN_LENGTH) -> None:
        """`least`: characters of a new password."""
        self._least = least
        # OWASP's recommendation (2025): argon2id, 19 MiB, 2 passes, 1 lane
        strongest = Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._hash = PasswordHash((strongest, _OlderBcrypt()))
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mutx-passwords")
        self._nobody = self._hash.hash(new_token())

    def check_strength(self, password: str, *, email: str) -> None:
        """Raises InputError that says what to change."""
        check_strength(password, email=email, least=self._least)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hash.hash(password))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a hash to store instead where today's parameters are stronger.

        `stored` None stands for an account that does not exist: the same work is done, and the answer is no.
        """
        matches, stronger = await self._run(lambda: self._hash.verify_and_update(password, stored or self._nobody))
        return (matches, stronger) if stored is not None else (False, None)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
