"""What of an output stands alone in a field, as the tool laid it out, rather than within a text that somebody wrote."""

import re
from collections.abc import Iterable, Iterator

from mutx.governance.instructions import is_order

MAX_LINES = 10_000
_LABELLED = re.compile(r"[\w ()'/-]{1,60}:\s+(?P<value>\S.*)")
_BULLET = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")


def fields_of(texts: Iterable[str], *, lines: bool) -> Iterator[str]:
    """Every leaf that is a text of one line; with `lines` every line as well, its label and its list taken apart.

    A line that tells its reader to do something is nobody's field.
    """
    for text in texts:
        if "\n" not in text:
            yield text
        if lines:
            for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
                if not is_order(line):
                    yield from _line(line)


def _line(line: str) -> Iterator[str]:
    line = _BULLET.sub("", line, count=1)
    yield line
    labelled = _LABELLED.match(line.strip())
    value = labelled["value"] if labelled else line
    if labelled:
        yield value
        yield line.strip()[: labelled.start("value")]
    if "," in value:
        yield from value.split(",")
