"""Regular expressions of users: RE2, so that matching is linear in the text, whatever the pattern."""

from typing import Any

import re2

MAX_PATTERN = 1000
"""Characters of one pattern."""
MAX_MEMORY = 1 << 20
"""Bytes that one compiled pattern may take."""


def compile_pattern(text: str) -> Any:
    """Compile with RE2. Raises ValueError with what is wrong, also for a pattern that compiles to too much."""
    if len(text) > MAX_PATTERN:
        raise ValueError(f"a pattern has at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"not a valid RE2 pattern: {_words(error)}") from error


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
