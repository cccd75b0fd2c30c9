"""A file and a public key are enough."""

import json
import subprocess
import sys
from base64 import b64encode

import pytest

from mutx.governance.verify_report import VerificationVerdict
from mutx.kit.errors import KeyUnusable, NotFound
from mutx.services.signing import verify_file
from tests.governance.receipts.story import Story, dump, export

STORY = Story().every_kind()
KEY = STORY.signer.public_key


@pytest.fixture
def exported(tmp_path):
    path = tmp_path / "receipts.json"
    path.write_bytes(dump(export(STORY)))
    return path


def test_with_a_key_file_it_verifies(exported, tmp_path):
    key = tmp_path / "public.jwk"
    key.write_text(json.dumps(KEY.jwk()))
    assert verify_file(exported, [str(key)]).verdict is VerificationVerdict.VERIFIED


@pytest.mark.parametrize("text", [json.dumps(KEY.jwk()), b64encode(KEY.raw).decode()])
def test_with_the_key_itself_it_verifies(exported, text):
    assert verify_file(str(exported), [text]).verdict is VerificationVerdict.VERIFIED


def test_without_a_key_it_is_incomplete(exported):
    assert verify_file(exported).verdict is VerificationVerdict.INCOMPLETE


def test_a_changed_byte_fails(exported):
    data = bytearray(exported.read_bytes())
    data[len(data) // 2] ^= 1
    exported.write_bytes(data)
    assert verify_file(exported, [b64encode(KEY.raw).decode()]).verdict is VerificationVerdict.FAILED


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFound, match="cannot be read"):
        verify_file(tmp_path / "none.json")
    with pytest.raises(NotFound):
        verify_file(tmp_path)


@pytest.mark.parametrize("given", ["/no/such/file.pem", "", "x" * 5000, "a\0b"])
def test_a_key_that_is_none(exported, given):
    with pytest.raises(KeyUnusable):
        verify_file(exported, [given])


def test_a_key_file_that_is_none(exported, tmp_path):
    (tmp_path / "noise").write_bytes(b"\xff\xfe")
    for given in (str(tmp_path / "noise"), str(tmp_path)):
        with pytest.raises(KeyUnusable, match="no public key can be read"):
            verify_file(exported, [given])


def test_the_verifier_loads_no_server_no_network_and_no_policy():
    code = "import sys, mutx.governance.verify; print(*sorted(name for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unwanted = {"fastapi", "sqlalchemy", "httpx2", "cel", "re2", "pydantic", "mutx.governance.ports", "mutx.storage"}
    assert unwanted.isdisjoint(loaded)
