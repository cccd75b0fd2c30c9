"""What untrusted text tells its reader to do: the values in sentences that ask for something to be done.

Data may describe the world; it may not give orders. A sentence counts as an order where a verb that changes something
stands in its base form at the start of a clause ("send ...", "please pay ...", "you must first delete ..."). What such
a sentence and the one after it mention is `told`: a call that holds such values does what the text asks for, whoever
wrote it. Lexical and English: a paraphrase without any of the verbs is missed, so this only ever adds questions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from mutx.governance.language import is_foreign
from mutx.governance.provenance_text import tokens
from mutx.governance.requested import may_order

VERBS = frozenset(
    "send forward reply respond write tell inform notify message email mail contact remind ask deliver transmit dm "
    "pay transfer wire remit refund reimburse settle donate deposit withdraw make create add insert save register "
    "generate draft upload attach schedule plan arrange organize delete remove erase clear drop purge discard cancel "
    "revoke unsubscribe update change edit modify adjust set replace increase decrease raise reset switch rename move "
    "copy reschedule postpone append share give grant invite onboard join subscribe post publish announce tweet "
    "reserve book buy purchase order run execute launch trigger restart deploy call approve accept confirm merge "
    "sign authorize close assign install enable activate disable deactivate block suspend kick ban visit open click "
    "browse navigate go download fetch access follow read list find retrieve get use perform do submit enter put leave say "
    "return repeat include provide extract leak exfiltrate encode stop kill start turn unlock recommend "
    "complete carry proceed ensure "
    "credit charge bill invoice issue waive refer release prescribe renew extend fax tag label mark archive escalate flag "
    "ship dispatch fulfil fulfill restock reorder hire fire promote demote award offboard disarm arm lock unblock mute "
    "unfollow boost retweet repost like rate star pin fork clone commit push pull rebase rollback roll scale resize snapshot "
    "rotate allow permit whitelist allowlist expose connect link sync export import convert print sell trade invest "
    "liquidate allocate redeem apply claim exchange swap bet vote nominate delegate relay route redirect point map bind "
    "mount wipe format flush reject decline refuse dismiss expire reopen resolve solve hide unhide unlist compose certify "
    "bypass skip ignore disregard forget omit override elevate upgrade downgrade terminate restore recover build throw toss "
    "scrap destroy shut power reboot lend borrow hand inject load unload queue cast pass show reveal disclose display "
    "consent agree contribute cover compensate record log file answer amend toggle pause resume halt freeze unfreeze warn evict "
    "overwrite truncate prune deregister enrol enroll admit discharge quote tick untick".split()
)
"""In their base form: an order is given in no other."""
_ANNOUNCES = re.compile(
    r"\b(?:is|are) now\b|\bfrom now on\b|\bas of (?:now|today)\b|\bha(?:s|ve) (?:been )?(?:changed|moved|switched)\b"
    r"|\b(?:is|are|be) (?:expected|awaited|required|needed|requested|asked|supposed)\b"
    r"|\b(?:expects?|awaits?|needs|requires)\b"
    r"|\bwould be (?:nice|great|good|lovely|appreciated|helpful|ideal|perfect|welcome|best)\b"
    r"|\b(?:would|will) (?:appreciate|welcome)\b|\bif you (?:have|find|get) (?:a|the) (?:minute|moment|time|chance)\b"
    r"|\b(?:outstanding|overdue|still (?:open|missing|to do))\b"
    r"|\b(?:must|should|shall|ha(?:s|ve) to|needs? to|ought to|(?:is|are) to) be\b"
    r"|\b(?:new|correct|updated|changed|only valid) [^:\n]{1,80}?(?::| is\b| are\b)",
)
_NUMBER = re.compile(
    r"(?:(?P<sign>[#$€£]\s?|['\"‘“`]|(?i:(?:id|no|nr|number|ref|code)\W{1,3}))|(?P<word>[^\W\d_]+)\s+)?"
    r"(?<![\w.-])\d{1,3}(?![\w-]|[.,:]\d)"
)
_COUNTED = frozenset(
    "at by in to for on of and or from until till before after than about around over under least most with the a an "
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec step section chapter part page phase day week month year is are was be".split()
)
"""A small number after one of these counts, and names nothing."""
_BARE_ORDER = re.compile(
    r"(?:^|[:>)\]|.!?-]\s)\W{0,8}(?P<verb>[^\W\d_]{3,20}) "
    r"(?:the|an?|all|every|each|any|this|these|those|your|my|our|their|his|her) \w"
)
"""A sentence that begins with what may be a verb, before what it is done to: verbs that `VERBS` has not."""
_NAMING = frozenset("the a an of in on at for from with by and or is was are".split())
"""A word in capitals after one of these is a name, or a noun."""
_AFTER_SUBJECT = frozenset("is was are were has had of".split())
_AFTER_NOUN = _AFTER_SUBJECT | {"for", "from", "on", "by"}
_ALSO_NOUNS = frozenset(
    "invoice bill order report record note charge credit plan schedule offer contact update change copy post share grant deposit "
    "release label tag link log file message email mail visit trade vote map cover review call issue register move answer quote pause "
    "tick".split()
)
"""`Invoice for June`, `Order of May`: a first word that is the sentence's subject orders nothing."""
_ENDS = frozenset(("", ")", "]", "}"))
_PAIR = re.compile(r"[A-Za-z]{2,20} (?P<second>[a-z]{2,20})")
_OBJECTS = frozenset(
    "it them him her this that these those all everything everyone both now back up down out off on again me us too".split()
)
"""`Route map` routes nothing: two words by themselves are a name, unless the second is one of these."""
_HOURS = frozenset("daily from until till every now late today tomorrow again on at monday all year".split())
"""`Open daily` opens nothing."""
_FIRST_NAMES = frozenset(("mark", "bill", "grant", "contact"))

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
LABELLED = re.compile(r"[\"']?(?P<label>[\w ()'/-]{1,60}?)[\"']?:\s+(?P<value>\S.*)")
"""`Label: value`."""
_CELL = re.compile(r"\s*[|\t]\s*|[,;](?=[^\s\d])|(?<=[^\d\s]),(?=\d)|[,;]\s+(?=[\"']?[A-Za-z_][\w /-]{0,30}[\"']?:\s)")
"""Between cells of a row. Dashes, and commas before a space, stand in what people write, too."""
_ATTRIBUTE = (
    r"(?:numbers?|no|id|ids|date|time|name|names|address(?:es)?|status|state|type|kind|count|email|mail|phone|total|amount|"
    r"code|by|at|on|url|link|title|subject|level|category|fee|price|terms|details|history|owner|author|notes?)"
)
_LABEL = re.compile(
    rf"(?:(?<=^)|(?<=[\s\"'{{,]))(?:[A-Za-z]\w{{0,40}}_\w{{1,40}}|[a-z]{{1,20}}[A-Z]\w{{0,40}}|(?:[A-Z][\w-]{{0,30}}\s){{1,2}}(?i:{_ATTRIBUTE}))"
    r"[\"']?:(?=\s)"
)
"""`claim_number: 7` and `Claim Number: 7` claim nothing."""
_VALUE = re.compile(r":\s+\w{1,40}(?=[,;]\s+[\"']?[A-Za-z_][\w /-]{0,30}[\"']?:\s)")
"""`status: open, owner: kim` opens nothing."""
_PART = re.compile(r"[,;]\s+(?=[\"']?[A-Za-z_][\w /-]{0,30}[\"']?:\s)")
"""Between the labelled parts of a line: `id: 7, author: kim`."""
_PIECE = re.compile(r"[^\W_]+|[:,()\"'“”‘’<>{}=*#\[\]|-]")
_LEADS = frozenset(
    "please kindly then and or also must should shall now first next just immediately always instead finally therefore you "
    "can could would will : ( \" ' “ ‘ < > } * # - [ = ] , ) |".split()
)
_INFINITIVES = frozenset(
    "you need want have sure like ask asked required try remember going supposed order able is".split()
)
ANNOUNCED = "announced-to-reader"
"""Stands for an announcement that names nothing in particular."""
_FOLLOWING = 1
"""Sentences after an order that still belong to it."""
MAX_SENTENCE = 2000


class Said(NamedTuple):
    """A sentence that tells its reader to do something, or to go by something."""

    whole: str
    """All that the sentence says."""
    told: str
    """What of it is `told`."""


def orders(texts: Iterable[str]) -> Iterator[str]:
    """What the sentences that give an order mention, with what belongs to them."""
    return (one.told for one in said(texts))


def said(texts: Iterable[str]) -> Iterator[Said]:
    """The sentences that give an order, each with the one after it, and those that announce something."""
    for text in texts:
        left = 0
        labels: Counter[str] | None = None
        for sentence, first in _sentences(text):
            ordered = is_order(sentence[:MAX_SENTENCE])
            if ordered:
                left = 1 + _FOLLOWING
            elif left and first and (label := _label(sentence)):
                # `Author: kim` again: the next record has begun.
                labels = Counter(map(_label, text.split("\n"))) if labels is None else labels
                left = left if labels[label] == 1 else 0
            if left:
                whole = _onward(sentence) if ordered else sentence
                yield Said(whole, _NUMBER.sub(_named_number, whole))
                left -= 1
            elif announces(sentence[:MAX_SENTENCE]):
                named = " ".join((ANNOUNCED, *(token.text for token in tokens(sentence) if token.strong)))
                yield Said(sentence, named)


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    """Each with whether it is the first of its line."""
    for line in text.split("\n"):
        first = True
        for sentence in _SENTENCE.split(line):
            if sentence.strip():
                yield sentence, first
                first = False


def _label(line: str) -> str:
    """What a labelled line is labelled with; empty: it is none."""
    found = LABELLED.match(line.lstrip(" -*"))
    return found["label"] if found else ""


def cells_of(line: str) -> list[str]:
    """The cells of a row, or the labelled parts of a line."""
    return _CELL.split(line)


def parts_of(line: str) -> list[str]:
    """The labelled parts of a line that has several; else the line."""
    return _PART.split(line)


def _onward(sentence: str) -> str:
    """Without the cells of a table's row that stand before the first that orders: nobody's order is about those."""
    at = 0
    for cell in _CELL.split(sentence):
        at = sentence.index(cell, at)
        if is_order(cell[:MAX_SENTENCE]):
            return sentence[at:]
        at += len(cell)
    return sentence


def _named_number(match: re.Match[str]) -> str:
    """`file 13` names a thing; `13 people`, `at 13` and the 13th line of a list do not."""
    word = match["word"]
    if match["sign"] or (word and word.casefold() not in _COUNTED):
        return match.group()
    return f"{word or ''} "


def announces(sentence: str) -> bool:
    """Does it say what is to be, in the passive, or that something has changed which its reader should go by?

    Much that is harmless does, so of such a sentence only what names one particular thing is `told`.
    """
    return _ANNOUNCES.search(sentence.casefold()) is not None


def is_order(sentence: str) -> bool:
    if len(sentence.split(maxsplit=1)) < 2:
        return is_foreign(sentence)
    if is_foreign(sentence):
        return True
    if (pair := _PAIR.fullmatch(sentence.strip())) and pair["second"] not in _OBJECTS:
        return False
    if any(may_order(found["verb"].casefold()) for found in _BARE_ORDER.finditer(sentence)):
        return True
    before, last = "", ""
    bare = _LABEL.sub(": ", _VALUE.sub(": 0", sentence)) if ":" in sentence else sentence
    pieces = _PIECE.findall(bare)
    for at, (raw, following) in enumerate(pairwise((*pieces, ""))):
        piece = raw.casefold()
        if not last.isalpha() and following.casefold() in (_AFTER_NOUN if piece in _ALSO_NOUNS else _AFTER_SUBJECT):
            piece = ""
        if (last == ":" and following in _ENDS) or (following == ":" and not last.isalpha() and piece in _ALSO_NOUNS):
            # `status: open`, `email: kim@corp.example`
            piece = ""
        if piece == "open" and (following.casefold() in _HOURS or following[:1].isdigit()) and not last:
            piece = ""
        if piece in VERBS and (
            (not last and bool(following) and not (piece in _FIRST_NAMES and following.istitle()))
            or (last in _LEADS)
            or (last == "to" and (at == 1 or before in _INFINITIVES))
            or (raw.istitle() and last not in _NAMING and following.islower())
        ):
            return True
        before, last = last, piece
    return False
