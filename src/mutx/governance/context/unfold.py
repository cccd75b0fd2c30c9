"""JSON, or what Python prints of the like, handed over as text: what a tool laid out in fields stays in fields."""

import json
import re
from ast import literal_eval
from typing import Any

from mutx.governance.context.leaves import MAX_CHARS

MAX_BLOCKS = 100
"""Blocks of text of one answer that are opened."""
MAX_PRINTED = 32 * 1024
"""Characters of what Python printed that are read: slower than JSON."""
_PRINTED = re.compile(r"[\[{]\s*[\[{('\"\d-]")


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
    if not bare or bare[0] + bare[-1] not in {"{}", "[]"}:
        return text
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return _printed(bare) or text


def _printed(text: str) -> Any:
    """What Python prints of lists and mappings; None: it is something else."""
    if len(text) > MAX_PRINTED or _PRINTED.match(text) is None:
        return None
    try:
        # Through JSON: what is no list, mapping, text or number is none of ours.
        return json.loads(json.dumps(literal_eval(text)))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
