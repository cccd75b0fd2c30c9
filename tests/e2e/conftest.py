"""What the end-to-end stories share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Somewhere to work whose name leaves room for a socket's path (108 bytes); pytest's own grow long under xdist."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as folder:
        yield Path(folder)
