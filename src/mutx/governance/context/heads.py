"""What a tool lays out as text around what others wrote: `From: kim`, and not what Kim wrote below.

A record is a run of lines without a blank one. Its labelled lines count up to the first that belongs to a text: one
under a label such as `Body`, or one without a label. From there on only a line like the one that opened the first
record opens another. Of a table the cells count whose column is not such a label's.
"""

import csv
import re
from collections.abc import Iterator
from itertools import takewhile

from mutx.governance.instructions import LABELLED, is_order, parts_of

MAX_HEADS = 10_000
MAX_CELLS = 100
MAX_ADDRESSED = 4000
BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_RULE = re.compile(r"\s*[-=_*#~]{3,}\s*")
_BETWEEN = frozenset("|:- \t")
"""The line below a table's head."""
_NAME = re.compile(r"[A-Za-z][\w /-]{0,40}")
_MARK = re.compile(r"[^\w]*\d{0,3}[.)]?\s*")
_ADDRESSED = re.compile(r"(?:[^<>@,;]{0,80}<)?(?P<address>[\w.+%-]{1,64}@[\w.-]{1,200})>?")
_SPEAKER = re.compile(r"(?P<head>(?:[^:\n]|:(?=\d)){1,120}):\s")
"""`[12] 09:05 Kim (+44 ...): hello`"""
_ASIDE = re.compile(r"\s*[\[\]()<>|]\s*|\s+[/–—-]\s+|\s{2,}")
_MARKS = frozenset("[(#<")
_TITLE = 8
"""Words up to which the line that opens a record is a title."""
_FREE = frozenset(
    "body text message content comment comments description note notes remark remarks review feedback bio about snippet "
    "preview summary quote said wrote".split()
)


def addresses_of(text: str) -> Iterator[str]:
    """`Kim Lee <kim@corp.example>, bo@corp.example`: the addresses of a text that holds nothing else."""
    if "@" in text and len(text) <= MAX_ADDRESSED:
        found = [_ADDRESSED.fullmatch(one.strip()) for one in re.split("[,;]", text)]
        if all(found):
            yield from (one["address"] for one in found if one)


def heads_of(text: str) -> Iterator[str]:
    """Values and labels of the lines that open records, without a line that tells its reader to do something."""
    lines = text.split("\n", MAX_HEADS)[:MAX_HEADS]
    first = next(filter(str.strip, lines), "")
    for delimiter in ",|\t":
        if _is_head(head := _row(first, delimiter)):
            yield from _table(lines, head, delimiter)
            return
    yield from _records(lines)


def _records(lines: list[str]) -> Iterator[str]:
    opening: str | None = None
    writing = written = False
    fresh = True
    for raw in lines:
        if not raw.strip() or _RULE.fullmatch(raw):
            fresh, writing = True, False
            continue
        shape = _shape(raw)
        opens = (
            fresh or (BULLET.match(raw) is not None and raw[:1] != " ") or (opening == shape and shape[:1] in _MARKS)
        )
        line = BULLET.sub("", raw.replace("**", ""), count=1).strip()
        if opens:
            opening = shape if opening is None else opening
            writing = written and shape != opening
            fresh = False
        if writing:
            continue
        found, writing = _heads(line, title=opens and shape == opening)
        written = written or writing
        yield from found


def _heads(line: str, *, title: bool) -> tuple[list[str], bool]:
    """What stands alone in a line, and whether a text begins in it."""
    found: list[str] = []
    for part in parts_of(line):
        labelled = LABELLED.match(part)
        if labelled is None and (speaker := _speaker(part)):
            return [*found, *speaker], True
        if is_order(part) or (labelled and labelled["label"].strip().casefold() in _FREE):
            return found, True
        if labelled is None:
            return ([*found, part], False) if title and part.count(" ") < _TITLE else (found, True)
        found += (labelled["value"], labelled["label"])
        found += addresses_of(labelled["value"])
        if "," in labelled["value"]:
            found += labelled["value"].split(",")
    return found, False


def _speaker(line: str) -> list[str]:
    """What stands alone before what somebody said."""
    found = _SPEAKER.match(line)
    head = found["head"] if found and not is_order(found["head"]) else ""
    return [one for one in _ASIDE.split(head) if one] if _ASIDE.search(head) else []


def _shape(line: str) -> str:
    """How a line begins: its marks, and its label if it has one."""
    mark = _MARK.match(line)
    labelled = LABELLED.match(BULLET.sub("", line.replace("**", ""), count=1).strip())
    marks = re.sub(r"\d+", "0", mark.group()) if mark else ""
    return marks + (labelled["label"].casefold() if labelled else "")


def _row(line: str, delimiter: str) -> list[str]:
    if delimiter not in line:
        return []
    try:
        cells = next(csv.reader([line.strip().strip("|")], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells[:MAX_CELLS]]


def _is_head(cells: list[str]) -> bool:
    return len(cells) > 1 and all(map(_NAME.fullmatch, cells)) and len(set(cells)) == len(cells)


def _table(lines: list[str], head: list[str], delimiter: str) -> Iterator[str]:
    for line in lines:
        cells = [] if _BETWEEN.issuperset(line) else _row(line, delimiter)
        if len(cells) == len(head):
            free = [cell for name, cell in zip(head, cells, strict=True) if name.casefold() not in _FREE]
            yield from takewhile(lambda cell: not is_order(cell), free)
