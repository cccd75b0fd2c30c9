"""The server of the tests starts wherever the project was cloned to."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.postgres import UNPRIVILEGED, reachable

INITDB = """#!/bin/sh
cat "$(dirname "$0")/../share/version" "$(dirname "$0")/../../../wheel.libs/library"
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs programs as another user")
def test_programs_below_a_folder_closed_to_others_are_copied_to_where_their_user_can_run_them() -> None:
    with tempfile.TemporaryDirectory(prefix="mutx-closed-") as name:
        here = Path(name)
        here.chmod(0o755)
        site = here / "site-packages"
        binaries = site / "wheel" / "postgres" / "bin"
        files = {binaries / "initdb": INITDB, binaries.parent / "share" / "version": "18 "}
        for path, text in {**files, site / "wheel.libs" / "library": "and its library"}.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o700)
        site.chmod(0o700)
        found = reachable(binaries, here / "copy", UNPRIVILEGED)

        assert found != binaries
        ended = subprocess.run([str(found / "initdb")], user=UNPRIVILEGED, cwd="/", capture_output=True, check=True)
        assert ended.stdout == b"18 and its library"
        shutil.rmtree(site)
        assert reachable(binaries, here / "copy", UNPRIVILEGED) == found, "copied once"
