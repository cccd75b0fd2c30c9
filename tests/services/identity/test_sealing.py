"""What is sealed opens with the same key in the same place, and with nothing else."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutx.kit.errors import KeyUnusable
from mutx.services.identity.sealing import Sealer, key_id_of, new_sealing_key, place, read_sealing_keys

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
HERE = place("webhooks", "secret", "1")


@given(st.binary(max_size=2000), st.text(st.characters(codec="utf-8"), max_size=100))
def test_what_goes_in_comes_out(value: bytes, context: str) -> None:
    sealer = Sealer([NEW])
    sealed = sealer.seal(value, context=context)
    assert sealer.open(sealed, context=context) == value
    assert sealed.isascii()


def test_the_same_value_never_looks_the_same() -> None:
    sealer = Sealer([NEW])
    assert len({sealer.seal(b"x", context=HERE) for _ in range(100)}) == 100


def test_a_value_opens_only_where_it_stood() -> None:
    sealer = Sealer([NEW])
    with pytest.raises(KeyUnusable, match="altered or moved"):
        sealer.open(sealer.seal(b"x", context=HERE), context=place("webhooks", "secret", "2"))


def test_every_altered_byte_shows() -> None:
    sealer = Sealer([NEW])
    head, _, data = sealer.seal(b"secret", context=HERE).rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(data))
    for position in range(len(raw)):
        raw[position] ^= 1
        with pytest.raises(KeyUnusable, match="altered"):
            sealer.open(f"{head}.{base64.urlsafe_b64encode(raw).decode()}", context=HERE)
        raw[position] ^= 1


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before, after = Sealer([OLD]), Sealer([NEW, OLD])
    sealed = before.seal(b"x", context=HERE)
    assert after.open(sealed, context=HERE) == b"x"
    assert not after.is_current(sealed)
    fresh = after.reseal(sealed, context=HERE)
    assert after.is_current(fresh)
    assert Sealer([NEW]).open(fresh, context=HERE) == b"x"
    assert after.key_ids == (key_id_of(fresh), key_id_of(sealed))


def test_a_missing_key_is_named() -> None:
    sealed = Sealer([OLD]).seal(b"x", context=HERE)
    with pytest.raises(KeyUnusable, match=Sealer([OLD]).key_id):
        Sealer([NEW]).open(sealed, context=HERE)


@pytest.mark.parametrize("text", ["", "x", "mutx1.abc", "mutx2.a.b", "a.b.c.d"])
def test_what_was_never_sealed(text: str) -> None:
    with pytest.raises(KeyUnusable, match="no sealed secret"):
        Sealer([NEW]).open(text, context=HERE)


@pytest.mark.parametrize("data", ["", "AAAA", "é", "A", "A" * 47])
def test_half_a_value(data: str) -> None:
    sealer = Sealer([NEW])
    with pytest.raises(KeyUnusable, match="altered"):
        sealer.open(f"mutx1.{sealer.key_id}.{data}", context=HERE)


def test_keys_are_read_as_operators_write_them() -> None:
    url_safe, standard = base64.urlsafe_b64encode(NEW).decode(), base64.b64encode(NEW).decode()
    for text in (url_safe, standard, url_safe.rstrip("="), NEW.hex(), f"\n {url_safe}\n"):
        assert read_sealing_keys(text) == (NEW,)
    assert read_sealing_keys(f"{NEW.hex()},{OLD.hex()}") == (NEW, OLD)
    assert len(read_sealing_keys(new_sealing_key())[0]) == 32


@pytest.mark.parametrize("text", ["", " , ", "short", "é" * 44, "!" * 43, "A" * 40, "z" * 64])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(KeyUnusable, match="new-key"):
        read_sealing_keys(text)


@pytest.mark.parametrize("key", [b"\0" * 32, bytes(range(8)) * 4, b"change-me-change-me-change-me-12"])
def test_a_key_that_somebody_typed(key: bytes) -> None:
    with pytest.raises(KeyUnusable, match="at random"):
        read_sealing_keys(base64.b64encode(key).decode())


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""]])
def test_a_sealer_needs_whole_keys(keys: list[bytes]) -> None:
    with pytest.raises(KeyUnusable, match="32 bytes"):
        Sealer(keys)


def test_no_key_shows() -> None:
    shown = repr(Sealer([NEW]))
    assert NEW.hex() not in shown
    assert Sealer([NEW]).key_id in shown
