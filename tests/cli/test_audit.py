"""`mutx audit`: take the log away as a file, and prove it without a server."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mutx.cli.main import cli
from mutx.governance.audit.entry import VERSION, AuditLink, commit_content
from mutx.governance.audit.evidence import entry_line, head_line, header_line
from mutx.governance.audit.head import AuditHead, sign_head
from mutx.governance.export import export_receipts
from mutx.kit.canonical import canonical
from mutx.services.signing import EphemeralSigner

AT = "2027-01-15T08:00:00.000000Z"
SALT = bytes(16)


@pytest.fixture
def signer() -> EphemeralSigner:
    return EphemeralSigner()


@pytest.fixture
def file(tmp_path: Path, signer: EphemeralSigner) -> Path:
    """Entry 4, after three that retention removed."""
    content = {"event_type": "LOGIN"}
    link = AuditLink(
        v=VERSION,
        workspace="ws-1",
        seq=4,
        prev="1" * 64,
        at=AT,
        retention="login",
        content=commit_content(SALT, content),
    )
    head = AuditHead(v=VERSION, workspace="ws-1", at=AT, seq=4, hash=link.hash, base=3, base_hash="1" * 64)
    sessions = json.loads(export_receipts([], keys=[signer.public_key], signer=signer, at=1_800_000_000))["head"]
    lines = [
        header_line("ws-1", 1_800_000_000, [signer.public_key]),
        entry_line(link, (SALT.hex(), content)),
        head_line(sign_head(head, signer), canonical(sessions)),
    ]
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def key(tmp_path: Path, signer: EphemeralSigner) -> Path:
    path = tmp_path / "key.jwk"
    path.write_bytes(canonical(signer.public_key.jwk()))
    return path


def run(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["audit", "verify", *map(str, args)])
    return result.exit_code, result.output


def test_a_good_file(file: Path, key: Path) -> None:
    status, said = run(file, "--key", key)
    assert status == 0
    assert "verified: 1 entries (0 without content), 0 receipts, 0 whole sessions" in said
    assert "entries 1 to 3 were removed by retention" in said


def test_without_a_key_it_is_incomplete(file: Path) -> None:
    status, said = run(file)
    assert status == 7
    assert "no trusted key was given" in said


def test_a_changed_file(file: Path, key: Path, signer: EphemeralSigner) -> None:
    file.write_bytes(file.read_bytes().replace(b'"LOGIN"', b'"OTHER"'))
    status, said = run(file, "--key", key)
    assert status == 6
    assert "entry 4 was changed" in said
    status, said = run(file, "--key", json.dumps(signer.public_key.jwk()), "--json")
    assert status == 6
    report = json.loads(said[: said.rindex("}\n{") + 1] if "}\n{" in said else said)
    assert report["verdict"] == "failed"
