"""What of an output stands alone in a field, as the tool laid it out, rather than within a text that somebody wrote."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import takewhile
from typing import Any

from mutx.governance.context.heads import BULLET, addresses_of, heads_of
from mutx.governance.instructions import cells_of, is_order, parts_of
from mutx.governance.provenance_text import tokens
from mutx.governance.tools import ToolSchema

MAX_LINES = 10_000
_LABELLED = re.compile(r"[\w ()'/-]{1,60}:\s+(?P<value>\S.*)")
_CELLS = re.compile(r"\s{2,}|\s+[|/–—-]\s+|\t|\s*[;|]\s*|\s*[()]\s*")
"""What stands between the columns of a line."""
_ASIDE = re.compile(r"(?<!\S)(?:[^\s().!?]{1,40}+[ ]){4}[^\s().!?]{0,40}+[ ]?\((?P<said>[^()]{1,200})\)")
"""What a sentence says in parentheses."""
_CODE = re.compile(r"(?<![\w.,:/-])(?:[A-Z]{1,12}(?:-[A-Z0-9]{1,12}){1,4}|[A-Z]{1,3}\d{1,3}|\d{3,7})(?![\w-]|[.,:]\d)")
"""Codes and numbers that are too short, or too plain, to name something wherever they stand."""
_KEY = re.compile(r"\s*[\[(#]?(?P<key>[^\W\d_]*[\d_-][\w.-]*)[\])]?(?:\s|$)")
_NUMBERED = re.compile(r"(?<![\w.@-])(?=[a-z-]*[\d@.])[\w.@,-]*\w", re.I)
_PARTICULAR = re.compile(r"[\d@/\\_]|\w\.\w|[A-Z]-[A-Z]")
"""Without any of these nothing particular is named: cheaper than looking for it."""
SENTENCE = 4
"""Spaces from which on a cell is somebody's sentence."""
BRIEF = 6
"""Words below which a cell is no sentence: `member 3`."""


class Lines(Enum):
    """Where a tool lays out lines by itself."""

    NONE = 0
    WITHIN = 1
    """In texts of several lines; the others are fields of its records, and a remark of one line is its writer's."""
    ALL = 2
    """All its output is such text."""
    HEADS = 3
    """All its output is such text, and what others wrote stands within: `heads`."""


def holds_records(output: Any) -> bool:
    """Is an output laid out in named fields, rather than in text?"""
    return isinstance(output, dict) or (isinstance(output, list) and any(isinstance(one, dict) for one in output))


def layout(output: Any, schema: ToolSchema | None) -> Lines:
    """How an output's texts are to be read, as its tool is declared."""
    records = holds_records(output)
    if schema is not None and schema.lines:
        return Lines.WITHIN if records else Lines.ALL
    return Lines.HEADS if schema is not None and schema.records and not records else Lines.NONE


def fields_of(texts: Iterable[str], *, lines: Lines) -> Iterator[str]:
    """Every leaf that is a text of one line; with `lines` every line as well, its label and its list taken apart.

    A line that tells its reader to do something is nobody's field, but for the cells before the one that does.
    """
    for text in texts:
        several = "\n" in text
        if not several:
            yield text
            yield from addresses_of(text)
        if lines is Lines.HEADS:
            yield from heads_of(text)
        if lines is Lines.ALL or (several and lines is Lines.WITHIN):
            for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
                if is_order(line):
                    cells = [cell for part in cells_of(line) for cell in _CELLS.split(part)]
                    for cell in takewhile(lambda cell: not is_order(cell), cells[:-1]):
                        yield from _line(cell)
                else:
                    yield from _line(line)


def _line(line: str) -> Iterator[str]:
    line = BULLET.sub("", line, count=1)
    parts = parts_of(line)
    if len(parts) > 1:
        for part in parts:
            yield from _line(part)
    yield line
    labelled = _LABELLED.match(line.strip())
    value = labelled["value"] if labelled else line
    if labelled:
        yield value
        yield line.strip()[: labelled.start("value")]
    if "," in value:
        yield from value.split(",")
    cells = _CELLS.split(line)
    if len(cells) > 1:
        yield from cells
    if (first := _KEY.match(line)) is not None:
        # `A-780 09:00 Kim` begins with what it is known by.
        yield first["key"]
    for cell in cells:
        if cell.count(" ") < BRIEF - 1:
            yield from _NUMBERED.findall(cell)


def spoken_of(texts: Iterable[str], *, lines: Lines) -> Iterator[str]:
    """What names one particular thing (an id, an address, a code) within a sentence, rather than alone in a cell."""
    laid_out = lines in {Lines.ALL, Lines.HEADS}
    for text in texts:
        if text.count(" ") < SENTENCE or not _PARTICULAR.search(text):
            continue
        parts = [part for line in text.split("\n", MAX_LINES)[:MAX_LINES] for part in cells_of(line)]
        for cell in (cell for part in parts for cell in _CELLS.split(part)):
            if cell.count(" ") >= SENTENCE and _PARTICULAR.search(cell):
                yield from _things(cell)
                yield from () if laid_out else map(str.casefold, _CODE.findall(cell))
        if not laid_out and "(" in text:
            yield from (thing for part in parts for aside in _ASIDE.finditer(part) for thing in _things(aside["said"]))


def _things(text: str) -> Iterator[str]:
    return (one.text for one in tokens(text) if one.strong)
