"""What a tool laid out in fields stays in fields where it is handed over as text: JSON, what Python prints, XML, `key=value`."""

import json
import re
from typing import Any

from mutx.governance.context.leaves import MAX_CHARS
from mutx.governance.context.markup import assigned, marked_up
from mutx.governance.context.printed import OBJECT, printed

MAX_BLOCKS = 100
"""Blocks of text of one answer that are opened."""
MAX_LINES = 10_000
_FENCED = re.compile(r"```\w{0,20}\n(?P<inner>.*)\n```", re.S)
_HEADED = re.compile(r"(?P<head>[^\n<>{}\[\]=]{1,100})\n\s*(?P<rest>\S.*)", re.S)
_COUNTS = re.compile(
    r"^\d+ \w+:?$|(?i:\b(?:found|results?|entries|items|total|here (?:is|are)|returned|showing|listing|matches|records|rows)\b)"
    r"[^:]{0,60}:?$"
)
"""`Found 3 parcels:` above what was found; `From: kim` is no such line."""


def unfolded(output: Any) -> Any:
    """The output with the texts that it consists of opened, where these are JSON objects or lists, or printed ones.

    That is the output itself, or the blocks of text of an MCP answer. Texts within fields stay closed: somebody else may
    have written them, and what is in them is no field of the tool's.
    """
    if isinstance(output, str):
        return _opened(output)
    if isinstance(output, dict) and isinstance(output.get("content"), list):
        return {**output, "content": unfolded(output["content"])}
    if isinstance(output, list) and len(output) <= MAX_BLOCKS and any(map(_is_block, output)):
        return [{**one, "text": _opened(one["text"])} if _is_block(one) else one for one in output]
    return output


def _is_block(one: Any) -> bool:
    return isinstance(one, dict) and one.get("type") == "text" and isinstance(one.get("text"), str)


def _opened(text: str) -> Any:
    bare = text.strip() if len(text) <= MAX_CHARS else ""
    found = _laid_out(bare)
    if found is None and (headed := _HEADED.match(bare)) is not None and _COUNTS.search(headed["head"]):
        rest = _laid_out(headed["rest"])
        found = None if rest is None else [headed["head"], *(rest if isinstance(rest, list) else [rest])]
    return text if found is None else found


def _laid_out(bare: str) -> Any:
    """What a text is in whole; None: it is none of these."""
    if (fenced := _FENCED.fullmatch(bare)) is not None:
        bare = fenced["inner"].strip()
    ends = bare[:1] + bare[-1:]
    if ends == "<>":
        return marked_up(bare)
    if ends in {"{}", "[]"}:
        try:
            return json.loads(bare)
        except (ValueError, RecursionError):
            return _several(bare) or printed(bare)
    return printed(bare) if OBJECT.match(bare) else assigned(bare)


def _several(bare: str) -> Any:
    """Of an object to a line all of them."""
    lines = bare.split("\n", MAX_LINES)
    if not 1 < len(lines) <= MAX_LINES:
        return None
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError):
        return None
