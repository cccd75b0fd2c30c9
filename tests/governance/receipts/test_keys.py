"""Public keys in every form a verifier is given them."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mutx.governance.keys import KeyRing, PublicKey, key_id, read_keys
from mutx.kit.canonical import sha256_hex
from mutx.kit.errors import KeyUnusable
from mutx.services.signing import Ed25519Signer

KEY = Ed25519Signer(bytes(range(32))).public_key
OTHER = Ed25519Signer(bytes(32)).public_key
AT = "2027-01-15T08:00:00.000000Z"


def pem(key):
    loaded = Ed25519PublicKey.from_public_bytes(key.raw)
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_an_id_is_a_prefix_of_the_keys_hash():
    assert KEY.id == key_id(KEY.raw) == "mutx-" + sha256_hex(KEY.raw)[:32]


@pytest.mark.parametrize(
    "text",
    [
        pem(KEY),
        "\n  " + pem(KEY).replace("\n", "\r\n"),
        json.dumps(KEY.jwk()),
        json.dumps(KEY.jwk() | {"use": "sig", "alg": "EdDSA"}),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": KEY.jwk()["x"], "alg": "Ed25519"}),
        json.dumps({"keys": [KEY.jwk()]}),
        base64.b64encode(KEY.raw).decode(),
        base64.b64encode(KEY.raw).decode().rstrip("=") + "\n",
        base64.urlsafe_b64encode(KEY.raw).decode(),
        KEY.jwk()["x"],
    ],
)
def test_every_form_gives_the_same_key(text):
    [found] = read_keys(text)
    assert found == KEY


def test_several_keys_at_once():
    assert read_keys(pem(KEY) + pem(OTHER)) == (KEY, OTHER)
    assert read_keys(KeyRing([KEY, OTHER]).to_json().decode()) == (KEY, OTHER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "AAAA",
        base64.b64encode(bytes(33)).decode(),
        "é" * 44,
        "{",
        "{}",
        "[]",
        '{"keys": 1}',
        json.dumps({"keys": [{"kty": "RSA", "crv": "", "x": ""}]}),
        json.dumps(KEY.jwk() | {"kid": "mutx-00"}),
        json.dumps(KEY.jwk() | {"x": "AAAA"}),
        json.dumps(KEY.jwk() | {"d": "AAAA"}),
        json.dumps(KEY.jwk() | {"revoked_at": "yesterday"}),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----",
        pem(KEY).replace("MCow", "MCov"),
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_no_ed25519_key(text):
    with pytest.raises(KeyUnusable):
        read_keys(text)


def test_a_ring_remembers_what_became_of_its_keys():
    ring = KeyRing([KEY]).with_key(OTHER).retire(KEY.id, AT).revoke(OTHER.id, AT, "lost")
    again = KeyRing(read_keys(ring.to_json().decode()))
    assert again.get(KEY.id) == PublicKey(raw=KEY.raw, retired_at=AT)
    assert again.get(OTHER.id) == PublicKey(raw=OTHER.raw, revoked_at=AT, reason="lost")
    assert len(again) == 2


def test_a_key_that_is_not_in_the_ring_cannot_be_revoked():
    with pytest.raises(KeyUnusable, match="holds none"):
        KeyRing().revoke(KEY.id, AT, "lost")
