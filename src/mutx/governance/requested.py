"""Does the user's request ask for this kind of action at all?

A policy says of a tool by which words a request asks for it (`requested_by`). It is lexical and knows no grammar
beyond a negation right before the word ("do not send" asks for nothing), and whether a request wants anything done at
all or only wants to know: `ORDER` is among its features if a clause of it is an order, in whatever words ("renew my
library card"), that does not begin with a verb of looking.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from mutx.governance.language import is_foreign
from mutx.governance.words import stem, stems, things

_NEGATIONS = frozenset(map(stem, ("not", "never", "without", "don't", "dont", "avoid")))
ORDER = "@order"
STATEMENT = "@statement"
_LOOKING = frozenset(
    map(
        stem,
        "get list search find read fetch lookup look show view query check describe count retrieve browse is has calculate "
        "compute summarize summarise compare watch explain analyze analyse tell give know see understand learn hear say "
        "recommend suggest estimate remember think hope guess wonder".split(),
    )
)
_NO_VERB = frozenset(
    "a an the this that these those my your his her its our their i you he she it we they there here who what which when "
    "where why how whose if as in on at for from with by of to about into after before during until since while because so "
    "but or and not no yes is are was were be been am has have had do does did can could will would shall should may might "
    "must let's lets hello hi hey dear thanks also just only all any some each every everything everyone one two "
    "three today tomorrow tonight yesterday now then next last first please kindly later soon maybe perhaps".split()
)
_WANTS_TO_KNOW = r"(?:me|us|what|whether|if|about|which|who|how|when|where|why)\b"
_ASKING = {"give": re.compile(rf"(?:an?|the)\b|{_WANTS_TO_KNOW}"), "tell": re.compile(_WANTS_TO_KNOW)}
"""`Give me the list` only wants to know; `give him the key` and `tell Kim` want something done."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_CLAUSE = re.compile(r"[,;:()-]+\s|\b(?:and|then|please|kindly|also|but|or)\b", re.I)
_TO_YOU = re.compile(r"(?:(?:hi|hello|hey)\W{1,3})?(?:could|can|would|will) you\b")
_WISH = re.compile(
    r"\b(?:should|must|needs?|want|wants|like you|has|have|ought|supposed|can you|could you|will you|would you|please|sure"
    r"|forget|let's|help me|(?=(?:gets|receives) (?:an?|the|full|\d)))\s*(?:to\s+|please\s+|also\s+)*(?P<verb>[a-z]+)"
)
_PASSIVE = re.compile(
    r"\b(?:should|must|shall|can|(?:has|have|needs?|is|are) to) (?:all )?(?:now )?be\b(?! (?:found|seen|sure))[^?]*$"
)
_BARE = re.compile(
    r"(?P<verb>[a-z]+) (?:(?:back|off|on|out|up|down|away|over|in|through) )?(?:the|an?|all|every\w*|each|any\w*|this|these|those|my|our|your|his|her|their|its|whoever|whatever|"
    r"whichever|them|him|it|both|some\w*)\b"
)
"""A verb before what it is done to: no sentence begins so whose first word is its subject."""
_DO_IT = re.compile(r"\b(?:do|make|get|have) (?:that|it|this|so|them|both|all)\b[^?]*$")
"""`We promised ten euros off. Do that, please.`"""
_CONDITIONS = ("if ", "when ", "once ", "after ", "as soon as ", "in case ")
_DECLARES = frozenset("is are was were has have had will's".split())
_QUESTIONS = frozenset("what which who whose whom when where why how is are was were do does did has have".split())
_SHRED = 5
"""Letters from which on a word in -ed is no verb's base form."""
_SUBJECT = 4
"""Words within which a sentence that only states something comes to its verb."""
MAX_READ = 8192
"""Characters of a request in which an order is looked for."""
_PAST = frozenset(
    "found made sent got went saw did said took gave kept left lost met paid ran sold told thought wrote bought brought "
    "built came felt held knew led began became grew drew stood understood won spent meant heard broke chose fell used".split()
)
_REACH = 2
"""How many words before a verb a negation still bears on it."""


class RequestWords(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words by which a request asks for a tool; compared by their stems. Objects may be `words.THINGS`, as `@address`."""

    words: tuple[str, ...] = ()
    """Any one of them is enough."""
    verbs: tuple[str, ...] = ()
    """Any one of them, together with one of `objects`."""
    objects: tuple[str, ...] = ()
    freely: bool = False
    """Asked for as well where the request itself names most of the call's arguments, and nothing untrusted the rest; and,
    as long as no untrusted text has told its reader to do what the call does, where the request gives an order in any
    words, or states something and names one of the arguments."""
    closely: bool = False
    """The same for what is grave: the order has to mention one of `objects` or one of the arguments, a statement all."""


def features(*texts: str | None) -> frozenset[str]:
    """What a request mentions: stems of its words, without negated ones, and things."""
    found: set[str] = set()
    for text in texts:
        if text:
            every = stems(text)
            found.update(word for at, word in enumerate(every) if not _negated(every, at))
            found.update(things(text))
            if gives_order(text[:MAX_READ]) or any(map(is_foreign, _SENTENCE.split(text[:MAX_READ]))):
                # What nobody here reads may be an order.
                found.add(ORDER)
            elif any(map(_is_statement, _SENTENCE.split(text[:MAX_READ]))):
                found.add(STATEMENT)
    return frozenset(found)


def gives_order(text: str) -> bool:
    """Does the text want something done, and not only told?"""
    return any(_is_order(sentence) for sentence in _SENTENCE.split(text))


def _is_statement(sentence: str) -> bool:
    """Is something told, rather than asked or looked for?"""
    first = [word.strip(",'\"").casefold() for word in sentence.split(maxsplit=1)[:1]]
    return bool(first) and not sentence.endswith("?") and first[0] not in _QUESTIONS and stem(first[0]) not in _LOOKING


def _is_order(sentence: str) -> bool:
    lower = sentence.casefold().replace("’", "'").strip(" \"'")
    if any(_does(match["verb"]) for match in _WISH.finditer(lower)):
        return True
    if _PASSIVE.search(lower) or _DO_IT.match(lower):
        return True
    if (bare := _BARE.match(lower)) and may_order(bare["verb"]):
        return True
    if lower.startswith(_CONDITIONS):
        sentence = sentence.partition(", ")[2]
        return bool(sentence) and _is_order(sentence)
    first = lower.split(maxsplit=_SUBJECT)[:_SUBJECT]
    if not first or first[0].strip(",") in _QUESTIONS:
        return False
    if _DECLARES & set(first) and stem(first[0]) not in _LOOKING and not _TO_YOU.match(lower):
        return False
    clauses = [clause.strip(" \"'*") for clause in _CLAUSE.split(sentence)]
    # Further on, a word in capitals is a name.
    return any(_leads(clause) for at, clause in enumerate(clauses) if at == 0 or not clause[:1].isupper())


def _leads(clause: str) -> bool:
    """Does the clause begin with a verb in its base form, as far as can be told without a dictionary?"""
    word, _, rest = clause.casefold().partition(" ")
    if word in _ASKING:
        return bool(rest) and _ASKING[word].match(rest) is None
    return (
        bool(rest)
        and word.isalpha()
        and not clause.casefold().startswith("thank you")
        and _does(word)
        and not word.endswith(("ing", "ed"))
    )


def may_order(word: str) -> bool:
    """May a word that stands first in a sentence be a verb in its base form?"""
    if not word.isalpha() or not _does(word) or word in _PAST:
        return False
    return not word.endswith(("ing", "s", "ly")) and not (len(word) > _SHRED and word.endswith("ed"))


def _does(verb: str) -> bool:
    return verb not in _NO_VERB and stem(verb) not in _LOOKING


def asks_for(request: frozenset[str], wanted: RequestWords) -> bool:
    if _any(wanted.words, request):
        return True
    return _any(wanted.verbs, request) and mentions(request, wanted.objects)


def mentions(request: frozenset[str], words: Iterable[str]) -> bool:
    """Has the request any of the words, or of the things?"""
    return _any(words, request)


def _any(candidates: Iterable[str], request: frozenset[str]) -> bool:
    return any((word if word.startswith("@") else stem(word)) in request for word in candidates)


def _negated(every: list[str], at: int) -> bool:
    return any(word in _NEGATIONS for word in every[max(0, at - _REACH) : at])
