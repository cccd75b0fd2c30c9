"""Fields laid out as XML, or as `key=value`."""

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

MAX_MARKED_UP = 256 * 1024
"""Characters of XML that are read."""
MAX_DEPTH = 32
MAX_ASSIGNED = 256 * 1024
_PAIR = re.compile(
    r"""(?P<key>[A-Za-z_][\w.-]{0,60})=(?P<value>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|\[[^\[\]\n]*+\]|[^\s"'\[\]=]++)(?:\s+|\Z)"""
)
_ESCAPED = re.compile(r"\\(.)")


def marked_up(text: str) -> Any:
    """The elements of an XML document as plain values; None: it is none, or declares entities or a type."""
    if len(text) > MAX_MARKED_UP or "<!" in text:
        return None
    parser = XMLParser()  # noqa: S314 - without a document type there are no entities to expand
    try:
        parser.feed(text)
        return _plain(parser.close(), MAX_DEPTH)
    except (ParseError, ValueError):
        return None


def _plain(element: Element, depth: int) -> Any:
    """An element's attributes and children by their names, those of one name in a list; or its text."""
    if depth == 0:
        raise ValueError("too deep")
    text = (element.text or "").strip()
    found: dict[str, Any] = dict(element.attrib)
    if not found and not len(element):
        return text
    several: dict[str, list[Any]] = {}
    for child in element:
        several.setdefault(child.tag, []).append(_plain(child, depth - 1))
        if tail := (child.tail or "").strip():
            several.setdefault("", []).append(tail)
    found |= {name: inner[0] if len(inner) == 1 else inner for name, inner in several.items()}
    return found | ({"text": text} if text else {})


def assigned(text: str) -> Any:
    """Lines of nothing but `key=value` as mappings, values with spaces in quotes; None: there is something else in it."""
    if "=" not in text[:80] or len(text) > MAX_ASSIGNED:
        return None
    found = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        at, fields = 0, dict[str, Any]()
        while (pair := _PAIR.match(line, at)) is not None:
            fields[pair["key"]] = _unquoted(pair["value"])
            at = pair.end()
        if at < len(line):
            return None
        found.append(fields)
    return found


def _unquoted(value: str) -> Any:
    if value[0] == "[":
        return [_unquoted(one.strip()) for one in value[1:-1].split(",") if one.strip()]
    return _ESCAPED.sub(r"\1", value[1:-1]) if value[0] in "\"'" else value
