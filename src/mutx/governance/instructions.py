"""What untrusted text tells its reader to do: the values in sentences that ask for something to be done.

Data may describe the world; it may not give orders. A sentence counts as an order where a verb that changes something
stands in its base form at the start of a clause ("send ...", "please pay ...", "you must first delete ..."). What such
a sentence and the one after it mention is `told`: a call that holds such values does what the text asks for, whoever
wrote it. Lexical and English: a paraphrase without any of the verbs is missed, so this only ever adds questions.
"""

import re
from collections.abc import Iterable, Iterator

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
    "complete carry proceed ensure".split()
)
"""In their base form: an order is given in no other."""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_PIECE = re.compile(r"[^\W_]+|[:,()\"'“”‘’<>{}=*#\[\]-]")
_LEADS = frozenset(
    "please kindly then and or also must should shall now first next just immediately always instead finally therefore you "
    "can could would will : ( \" ' “ ‘ < > } * # - [ = ] ,".split()
)
_INFINITIVES = frozenset(
    "you need want have sure like ask asked required try remember going supposed order able is".split()
)
_FOLLOWING = 1
"""Sentences after an order that still belong to it."""
MAX_SENTENCE = 2000


def orders(texts: Iterable[str]) -> Iterator[str]:
    """The sentences that give an order, with what belongs to them."""
    for text in texts:
        left = 0
        for sentence in _SENTENCE.split(text):
            if is_order(sentence[:MAX_SENTENCE]):
                left = 1 + _FOLLOWING
            if left:
                yield sentence
                left -= 1


def is_order(sentence: str) -> bool:
    before, last = "", ""
    for piece in _PIECE.findall(sentence.casefold()):
        if piece in VERBS and (not last or last in _LEADS or (last == "to" and (not before or before in _INFINITIVES))):
            return True
        before, last = last, piece
    return False
