"""Is this call what untrusted text told its reader to do?

`instructions.orders` finds the sentences; the index keeps what they mention. A call does as it was told where one of
its critical arguments, or any id, holds nothing but such values, where any argument holds an address, a link or
an account that was only heard of there, or where most of what it says was said there. What the user's own request mentions is never
counted: the user may well ask for what a document asks for too.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from mutx.governance.arguments_path import values_at
from mutx.governance.context.leaves import read_leaves
from mutx.governance.provenance import Hasher, ProvenanceIndex, Tracer
from mutx.governance.provenance_text import Mention, fold, tokens
from mutx.governance.tools import ToolSchema
from mutx.governance.types import Origin
from mutx.governance.words import stem, stems

MOSTLY = 0.6
"""Share of an argument's words from which on it counts as said there."""
ENOUGH = 4
"""Words of a text before that share says anything."""
FEW = 2
"""Words of a text that was said there whole."""
SHORT = 3
"""Characters from which on an argument that nobody declared critical may name something."""
MAX_TOKENS = 4096
MAX_REPEATED = 8192
"""Characters of a text that are compared with orders word by word."""
BRIEF = 6
"""Words up to which a single one of an order's is enough."""
PART = 0.34
"""Share of a longer text's words."""
SMALL = frozenset(
    map(
        stem,
        "a an the and or of to in on at for from with by as is are was were be been it its this that these those i you we he "
        "she they me my your our his her their us them not no yes if so but do does did have has had can will would should "
        "please thanks thank dear hello hi all any some more very also just".split(),
    )
)
"""Words that every text shares with every other."""
VAGUE = frozenset(
    map(stem, "get set add put make do use give take let have be new a an the of to in on for by from with".split())
)
"""Words of tool names that orders of all kinds have."""

LEADS_OUT = re.compile(r"@|://|[a-z]\.[a-z]{2}|^[a-z]{2}\d{2}[a-z0-9]{8}|^\+?\d{8,}$")
"""Addresses, links, hosts, accounts and phone numbers: where something may be sent."""


GROUPED = 6
"""Digits from which on what stands between them is for the eye."""
_ID = re.compile(r"(?=.{0,80}\d)(?=.{0,80}(?:[a-z:#-]|\..{0,80}\.))[\w.:#-]{3,80}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d)|\d{1,2}[:.]\d\d")
_SPACING = re.compile(r"[ ()-]")
_BY_NUMBER = re.compile(r"(?i)(?:id|no|nr|number|code|key|sku)s?$")
"""Arguments whose numbers count nothing."""


class ToldValue(Struct, frozen=True):
    path: str
    value: str


def told(
    args: Mapping[str, Any], schema: ToolSchema, index: ProvenanceIndex, hasher: Hasher, tracer: Tracer
) -> ToldValue | None:
    """The first argument that was told; None if there is none."""
    if not index.told and not index.told_dropped and not index.tables[Origin.UNTRUSTED]:
        return None
    if _is_named(schema.name, index, hasher):
        return ToldValue(next(iter(args), ""), schema.name)
    critical, speaks = schema.critical, schema.sink is not None
    for path in critical:
        for text in _texts(values_at(args, path)):
            if tracer.trace(text).origin is not Origin.REQUEST and _all_told(text, index, hasher, tracer):
                return ToldValue(path, text)
    for path, value in args.items():
        for text in _texts(value):
            if (
                _names(text)
                and tracer.trace(text).origin is not Origin.REQUEST
                and _all_told(text, index, hasher, tracer)
            ):
                return ToldValue(path, text)
            if (found := _said(text, index, hasher, tracer, speaks=speaks)) is not None:
                return ToldValue(path, found)
    return None


def _is_named(name: str, index: ProvenanceIndex, hasher: Hasher) -> bool:
    """Does an untrusted text call the tool by its own name, of more than one word? Only who wants it called does."""
    if len(stems(name)) == 1:
        return False
    found = index.find(hasher(fold(name)))
    return found is not None and found.origin is Origin.UNTRUSTED


def heard(
    args: Mapping[str, Any], schema: ToolSchema, told: Mapping[bytes, None], hasher: Hasher, request: frozenset[str]
) -> bool:
    """Could an order of an untrusted text be for this call? By the words for what the tool does, and what the call says.

    `request`: the stems of what the user says himself; only the tool's own words count all the same.
    """
    wanted = schema.requested_by
    asked = () if wanted is None else (*wanted.words, *wanted.objects)
    named = {*stems(schema.name), *(stem(word) for word in asked if not word.startswith("@"))} - VAGUE
    if any(hasher.stem(word) in told for word in named):
        return True
    return any(_repeats(text, told, hasher, request) for value in args.values() for text in _texts(value))


def _repeats(text: str, told: Mapping[bytes, None], hasher: Hasher, request: frozenset[str]) -> bool:
    """Does a short text hold any word of such an order, or a longer one a good part of them?"""
    own = [word for word in stems(text[:MAX_REPEATED]) if word not in request and word not in SMALL]
    found = sum(hasher.stem(word) in told for word in own)
    return found > 0 and (len(own) <= BRIEF or found >= PART * len(own))


def names_one(path: str, text: str) -> bool:
    """Is it an address, a link, an account, a phone number or an id? A new file's path may well be made up."""
    folded = fold(text)
    if _DATE.match(folded):
        return False
    grouped = sum(map(str.isdecimal, folded)) >= GROUPED
    if LEADS_OUT.search(_SPACING.sub("", folded) if grouped else folded):
        return True
    if folded.isdecimal():
        return len(folded) >= SHORT and _BY_NUMBER.search(path) is not None
    return _ID.fullmatch(folded) is not None


def _texts(value: Any) -> list[str]:
    return read_leaves(value)[0]


def _names(text: str) -> bool:
    """Is it one word with a digit in it, as ids, versions and codes are? Of one or two characters it says nothing."""
    return len(text) >= SHORT and " " not in text and any(map(str.isdigit, text))


def _all_told(text: str, index: ProvenanceIndex, hasher: Hasher, tracer: Tracer) -> bool:
    named = _own(text, tracer)
    return bool(named) and all(_is_told(one, index, hasher) for one in named)


def _said(text: str, index: ProvenanceIndex, hasher: Hasher, tracer: Tracer, *, speaks: bool) -> str | None:
    """What of an argument was said: an address or link by itself, or most of its words; of what goes out, a few."""
    named = _own(text, tracer)
    if speaks and " " in text.strip() and hasher(fold(text)) in index.told and named:
        return text
    heard = [one for one in named if _is_told(one, index, hasher)]
    outward = next((one for one in heard if one.strong and LEADS_OUT.search(one.text)), None)
    if outward is not None:
        return outward.text
    if speaks and len(heard) >= FEW and len(heard) == len(named):
        return text
    if len(named) >= ENOUGH and len(heard) >= MOSTLY * len(named):
        return text
    return None


def _own(text: str, tracer: Tracer) -> list[Mention]:
    """What the argument mentions and the request does not."""
    every = islice(tokens(text), MAX_TOKENS)
    return [one for one in every if tracer.trace(one.text).origin is not Origin.REQUEST]


def _is_told(one: Mention, index: ProvenanceIndex, hasher: Hasher) -> bool:
    return index.told_dropped or hasher(one.text) in index.told
