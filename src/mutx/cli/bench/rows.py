"""Labelled rows from files."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import UNSET

from mutx.kit.errors import InputError
from mutx.services.evalview.bench import LabelledText

LABELS = ("attack", "benign")


def read_rows(paths: Iterable[Path], *, limit: int | None = None, seed: int = 1) -> list[LabelledText]:
    """Rows of all files; `limit`: so many of each source. A row without a source is named after its file.

    Raises InputError for a line that is no row, naming it.
    """
    rows = [row for path in paths for file in _files(path) for row in _rows(file)]
    if limit is None:
        return rows
    by_source: dict[str, list[LabelledText]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return [row for _, found in sorted(by_source.items()) for row in draw.sample(found, min(limit, len(found)))]


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]


def _rows(file: Path) -> Iterator[LabelledText]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line, type=LabelledText)
            except msgspec.MsgspecError as error:
                raise InputError(f"{file.name}, line {number}: not a row of labelled text ({error})") from error
            if wrong := _wrong(row):
                raise InputError(f"{file.name}, line {number}: {wrong}")
            yield row if row.source else msgspec.structs.replace(row, source=file.stem)


def _wrong(row: LabelledText) -> str:
    """What would be left out of the count without a word."""
    if row.label is not UNSET and row.label not in LABELS:
        return f"the label {row.label[:40]!r} is neither {' nor '.join(LABELS)}"
    spans = () if row.spans is UNSET else row.spans
    if any(not 0 <= span.start < span.end <= len(row.text) for span in spans):
        return f"a span leaves the text of {len(row.text)} characters"
    return ""
