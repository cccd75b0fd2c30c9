"""Texts in files that a command is given."""

from pathlib import Path

from mutx.kit.errors import InputError


def text_of(file: Path) -> str:
    """UTF-8, with or without a byte order mark. Raises InputError with the file's name."""
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8: byte {error.start + 1} is not; save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
