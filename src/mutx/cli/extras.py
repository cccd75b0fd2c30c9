"""Commands whose libraries are optional."""

from collections.abc import Iterator
from contextlib import contextmanager

from mutx.kit.errors import SetupError


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Raises SetupError, which names the extra, where a library of it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SetupError(
            f"this needs the extra `{extra}`: pip install 'mutx[{extra}]' ({error.name} is missing)"
        ) from error
