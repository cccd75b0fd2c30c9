"""What commands that verify files share: the keys that one trusts, and how a verdict becomes an exit status."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mutx.cli.files import text_of
from mutx.kit.errors import VerificationFailed, VerificationIncomplete

if TYPE_CHECKING:
    from mutx.governance.keys import KeyRing

trusted_keys = click.option(
    "--key",
    "--keys",
    "keys",
    multiple=True,
    metavar="FILE|KEY",
    help="A public key you trust: a file, or the key itself (base64).",
)


def ring_of(keys: tuple[str, ...]) -> "KeyRing":
    """Each a file or a key. Raises KeyUnusable."""
    from mutx.governance.keys import KeyRing, read_keys

    texts = (text_of(Path(key)) if Path(key).is_file() else key for key in keys)
    return KeyRing(each for text in texts for each in read_keys(text))


def exit_by(verdict: str, file: Path) -> None:
    """Raises VerificationFailed or VerificationIncomplete, unless the file is verified."""
    if verdict == "failed":
        raise VerificationFailed(f"{file} does not verify")
    if verdict == "incomplete":
        raise VerificationIncomplete(f"{file} is incomplete: nothing is wrong in it, and it does not prove enough")
