"""Secrets that must be had back: sealed under the installation's keys, each value bound to the place it stands in.

    sealed = sealer.seal(b"...", context=place("webhooks", "secret", row.id))
    sealer.open(sealed, context=place("webhooks", "secret", row.id))

A sealed value is text, `mutx1.<key id>.<base64url of nonce, ciphertext and tag>`. XChaCha20-Poly1305 (libsodium's, as
draft-irtf-cfrg-xchacha has it): its nonces of 24 bytes may be drawn at random for as many values as one likes, which
AES-GCM's of 12 may not. Nothing but the same key and the same context opens a value, so one moved to another row does not
open there.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError

from mutx.kit.errors import KeyUnusable

VERSION = "mutx1"
KEY_BYTES: int = crypto_aead_xchacha20poly1305_ietf_KEYBYTES
NONCE_BYTES: int = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
LEAST_DISTINCT = 16
"""Of 32 random bytes fewer than 16 different ones come up once in 10**14 keys."""


def place(table: str, column: str, row_id: str) -> str:
    """The context of a value in the database: it opens in this row's column and nowhere else."""
    return f"{table}/{column}/{row_id}"


def new_sealing_key() -> str:
    """A fresh key as text, for SECRET_ENCRYPTION_KEY or a key file."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_sealing_keys(text: str) -> tuple[bytes, ...]:
    """Keys as an operator gives them: 32 bytes each in base64 or hex, separated by commas or line ends, newest first.

    Raises KeyUnusable for none, for what is no key, and for keys that nobody drew at random.
    """
    keys = tuple(_read(part) for part in text.replace(",", "\n").split())
    if not keys:
        raise KeyUnusable("no key to seal secrets with; make one with `mutx secrets new-key`")
    return keys


def _read(text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(_standard(text), validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeyUnusable(_NO_KEY) from error
    if len(key) != KEY_BYTES:
        raise KeyUnusable(_NO_KEY)
    if len(set(key)) < LEAST_DISTINCT or all(0x20 <= byte < 0x7F for byte in key):
        raise KeyUnusable("a key to seal secrets with was typed, not drawn at random; use `mutx secrets new-key`")
    return key


_NO_KEY = "a key to seal secrets with must be 32 bytes in base64 or hex; make one with `mutx secrets new-key`"


def _standard(text: str) -> str:
    padded = text + "=" * (-len(text) % 4)
    return padded.replace("-", "+").replace("_", "/")


class Sealer:
    """Seals under the first key and opens under any. Thread-safe; holds nothing but keys."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: 32 bytes each, newest first. Raises KeyUnusable for another length or none."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise KeyUnusable(_NO_KEY)
        self._keys = {_key_id(key): key for key in keys}
        self.key_id = _key_id(keys[0])
        """Of the key that seals from now on."""

    def __repr__(self) -> str:
        return f"Sealer(key_id={self.key_id!r})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Of every key that opens, the one that seals first."""
        return tuple(self._keys)

    def seal(self, value: bytes, *, context: str) -> str:
        nonce, key = secrets.token_bytes(NONCE_BYTES), self._keys[self.key_id]
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(value, _bound(self.key_id, context), nonce, key)
        return f"{VERSION}.{self.key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, context: str) -> bytes:
        """The value. Raises KeyUnusable where the key is missing, or the value was altered or stood elsewhere."""
        key_id = key_id_of(sealed)
        key = self._keys.get(key_id)
        if key is None:
            raise KeyUnusable(
                f"a stored secret is sealed under the key {key_id}, which is not here;"
                " put that key back, behind the one in use, and run `mutx secrets reseal`"
            )
        try:
            data = base64.urlsafe_b64decode(sealed.rpartition(".")[2])
            nonce, hidden = data[:NONCE_BYTES], data[NONCE_BYTES:]
            return crypto_aead_xchacha20poly1305_ietf_decrypt(hidden, _bound(key_id, context), nonce, key)
        except (CryptoError, ValueError) as error:
            raise KeyUnusable("a stored secret was altered or moved; restore it from a backup") from error

    def has(self, key_id: str) -> bool:
        """Whether it opens what is sealed under this key."""
        return key_id in self._keys

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed under the newest key."""
        return key_id_of(sealed) == self.key_id

    def reseal(self, sealed: str, *, context: str) -> str:
        """The same value under the newest key. Raises as `open`."""
        return self.seal(self.open(sealed, context=context), context=context)


def key_id_of(sealed: str) -> str:
    """Of the key a value is sealed under. Raises KeyUnusable for what is no sealed value."""
    parts = sealed.split(".")
    if len(parts) != 3 or parts[0] != VERSION:
        raise KeyUnusable("this is no sealed secret of ours; restore it from a backup")
    return parts[1]


def _key_id(key: bytes) -> str:
    """16 hex digits that name a key and tell nothing of it."""
    return hashlib.blake2b(key, digest_size=8, person=b"mutx/key-id").hexdigest()


def _bound(key_id: str, context: str) -> bytes:
    return f"{VERSION}.{key_id}.{context}".encode()
