"""`mutx keys`: the signing keys of this machine's installation. Works on files; the control plane need not run."""

import os
from pathlib import Path

import click

from mutx.cli.output import print_table
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.kit.clock import SystemClock
from mutx.kit.errors import Conflict
from mutx_agent.settings import mutx_home

PID_FILE = "mutx.pid"


@click.group()
def keys() -> None:
    """List, rotate and revoke the keys that sign receipts."""


def _folder() -> Path:
    return Path(mutx_home()) / "keys"


def _ring() -> Path:
    return _folder() / "receipts.jwks.json"


def _running() -> bool:
    """Whether the control plane of this home runs; a file that a killed one left behind does not count."""
    try:
        os.kill(int((Path(mutx_home()) / PID_FILE).read_text()), 0)
    except (FileNotFoundError, ProcessLookupError, OverflowError, ValueError):
        return False
    except PermissionError:
        return True
    return True


@keys.command("list")
@shared_options
@pass_state
def list_keys(state: CliState) -> None:
    """Show every key this installation ever signed with."""
    from mutx.services.signing import load_ring

    found = [key.jwk() for key in load_ring(_ring())]
    if state.as_json:
        state.emit_json(found)
        return
    names = ("kid", "created_at", "retired_at", "revoked_at", "reason")
    print_table(list(names), ([key.get(name) or "" for name in names] for key in found))


@keys.command()
@shared_options
@pass_state
def rotate(state: CliState) -> None:
    """Sign with a new key from the next start on. Receipts of the old key stay verifiable."""
    from mutx.services.signing import rotate as rotate_key

    if _running():
        raise Conflict("the control plane is running and would go on with the old key; stop it first, then rotate")
    signer = rotate_key(_folder() / "receipts.pem", _ring(), now=SystemClock().now())
    state.say(f"{signer.key_id} signs from now on; back up {_folder()} and hand out the new public key")
    if state.as_json:
        state.emit_json({"kid": signer.key_id})


@keys.command()
@click.argument("key_id")
@click.option("--reason", required=True, help="Why; auditors will read it.")
@shared_options
@pass_state
def revoke(state: CliState, key_id: str, reason: str) -> None:
    """Say that a key is not to be believed from now on: what it signs later fails verification."""
    from mutx.services.signing import revoke as revoke_key

    revoke_key(_ring(), key_id, at=SystemClock().now(), reason=reason)
    state.say(f"{key_id} is revoked; rotate if it is the one that signs, and hand out {_ring()} to auditors")
    if state.as_json:
        state.emit_json({"revoked": key_id})
