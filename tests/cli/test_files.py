"""Files that are no text end in a message and an exit status, whichever command was given them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mutx.cli.files import text_of
from mutx.cli.main import cli
from mutx.kit.errors import InputError


@pytest.mark.parametrize(
    "command",
    [
        ["policies", "lint", "FILE"],
        ["policies", "test", "FILE", "FILE"],
        ["policies", "apply", "FILE"],
        ["policies", "backtest", "FILE"],
        ["receipts", "verify", "FILE", "--keys", "FILE"],
        ["tools", "label", "FILE"],
        ["governance", "decide", "--body", "@FILE"],
    ],
    ids=" ".join,
)
def test_a_file_that_is_no_text(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(b"\xff\xfe\x00name")
    result = CliRunner().invoke(cli, [part.replace("FILE", str(file)) for part in command])
    assert result.exit_code == 1, result.output
    assert "UTF-8" in result.output
    assert isinstance(result.exception, SystemExit)


def test_text(tmp_path: Path) -> None:
    file = tmp_path / "marked.yaml"
    file.write_bytes("\ufeffname: ü".encode())
    assert text_of(file) == "name: ü"
    with pytest.raises(InputError, match="cannot be read"):
        text_of(tmp_path)
