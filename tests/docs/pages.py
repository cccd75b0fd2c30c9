"""Markdown pages as programs: their fenced code blocks in order."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"\A# (?P<name>[\w-]+\.\w+)\n")
ANYTHING = "..."
LANGUAGES = {"bash", "fpl", "python", "text", "yaml"}


class Block(NamedTuple):
    language: str
    text: str
    line: int

    @property
    def file_name(self) -> str | None:
        """A first line like `# pay.py` says that the block is a file; a later block uses it."""
        named = FILE_NAME.match(self.text)
        return named["name"] if named else None


def read_blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(fence["language"], fence["text"], text[: fence.start()].count("\n") + 1) for fence in FENCE.finditer(text)
    ]


def is_shown(expected: str, output: str) -> bool:
    """Every expected line appears in the output, in order; `...` stands for anything, and spaces count as one."""
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    for wanted in filter(None, (" ".join(line.split()) for line in expected.splitlines())):
        if wanted == ANYTHING:
            continue
        pattern = ".*".join(map(re.escape, wanted.split(ANYTHING)))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return False
    return True
