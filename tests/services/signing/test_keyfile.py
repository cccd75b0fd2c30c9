"""A private key on disk: made once, guarded, never replaced by accident."""

import os
import stat
import subprocess
import sys
import threading
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from mutx.kit.errors import KeyUnusable
from mutx.services.signing import FileSigner
from mutx.services.signing.keyfile import replace_key, write_new_key


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "signing.pem"


def put(path, data, mode=0o600):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def pem(der):
    return b"-----BEGIN PRIVATE KEY-----\n" + b64encode(der) + b"\n-----END PRIVATE KEY-----\n"


def other_key():
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_is_made_once_for_its_owner_only(path):
    first = FileSigner(path, may_create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert FileSigner(path, may_create=True).key_id == first.key_id
    assert FileSigner(path, may_create=False).key_id == first.key_id
    assert os.listdir(path.parent) == ["signing.pem"]


def test_the_file_is_pkcs8_as_other_tools_read_it(path):
    signer = FileSigner(path, may_create=True)
    loaded = load_pem_private_key(path.read_bytes(), None)
    assert loaded.public_key().public_bytes_raw() == signer.public_key.raw


def test_a_key_that_another_tool_made_is_read(path):
    data = other_key()
    put(path, data)
    assert (
        FileSigner(path, may_create=False).public_key.raw
        == load_pem_private_key(data, None).public_key().public_bytes_raw()
    )


def test_a_missing_key_beside_receipts_is_never_made_anew(path):
    with pytest.raises(KeyUnusable, match=r"restore the key from your backup.* never regenerated"):
        FileSigner(path, may_create=False)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o700, 0o660, 0o666])
def test_a_key_that_others_may_read_is_refused(path, mode):
    put(path, other_key(), mode)
    with pytest.raises(KeyUnusable, match=f"mode {mode:04o}.*chmod 600"):
        FileSigner(path, may_create=True)


def test_a_read_only_key_will_do(path):
    put(path, other_key(), 0o400)
    FileSigner(path, may_create=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"not a key",
        bytes(32),
        pem(b""),
        pem(bytes.fromhex("302e020100300506032b657004220420") + bytes(31)),
        pem(bytes.fromhex("302e020100300506032b657004220420") + bytes(33)),
        pem(bytes.fromhex("302e020100300506032b656e04220420") + bytes(32)),
        b"-----BEGIN PRIVATE KEY-----\nsecret~text\n-----END PRIVATE KEY-----\n",
        b"A" * 10_000,
    ],
    ids=["empty", "no text", "prose", "zeros", "nothing", "short", "long", "x25519", "no base64", "large"],
)
def test_a_file_that_is_no_key_is_refused_and_kept(path, data):
    put(path, data)
    with pytest.raises(KeyUnusable, match="restore the key") as caught:
        FileSigner(path, may_create=True)
    assert path.read_bytes() == data
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_symbolic_link_is_refused_even_where_it_leads_nowhere(path):
    put(path.with_name("real.pem"), other_key())
    path.symlink_to("real.pem")
    with pytest.raises(KeyUnusable, match="symbolic link"):
        FileSigner(path, may_create=False)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(KeyUnusable, match="symbolic link"):
        FileSigner(path, may_create=True)


def test_a_folder_or_a_pipe_is_refused(path):
    path.mkdir(parents=True)
    with pytest.raises(KeyUnusable, match="not a regular file"):
        FileSigner(path, may_create=True)
    path.rmdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(KeyUnusable, match="not a regular file"):
        FileSigner(path, may_create=True)


def test_a_file_in_place_of_the_folder(path):
    path.parent.write_text("")
    for may_create in (True, False):
        with pytest.raises(KeyUnusable):
            FileSigner(path, may_create=may_create)


def test_two_starts_at_once_agree_on_one_key(path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(FileSigner(path, may_create=True).key_id)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert os.listdir(path.parent) == ["signing.pem"]


def test_making_a_key_never_replaces_one(path):
    before = FileSigner(path, may_create=True).key_id
    write_new_key(path)
    assert FileSigner(path, may_create=False).key_id == before


def test_a_key_cannot_be_replaced_where_there_is_no_folder(path):
    with pytest.raises(KeyUnusable, match="cannot write"):
        replace_key(path, bytes(32))


AS_NOBODY = """
import os, sys
from pathlib import Path
from mutx.kit.errors import KeyUnusable
from mutx.services.signing import FileSigner
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    FileSigner(Path(sys.argv[1]), may_create=sys.argv[2] == "create")
except KeyUnusable as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "verb", "says"), [("locked.pem", "open", "cannot be read"), ("new.pem", "create", "cannot write")]
)
def test_without_the_right_to_read_or_write(tmp_path, name, verb, says):
    """In a process of its own, because root may do anything."""
    folder = tmp_path / "keys"
    folder.mkdir()
    put(folder / "locked.pem", other_key(), 0o000)
    for each in (folder, *tmp_path.parents):
        if each.stat().st_uid == os.getuid() and each != folder:
            each.chmod(each.stat().st_mode | 0o011)
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder / name), verb], capture_output=True, text=True, check=False
    )
    assert says in done.stdout, done.stderr
