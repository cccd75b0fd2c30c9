"""What a tool does: found by the verb of its name, wherever it stands, else by its description's.

A name's words are read without what comes before the verb for another reason: a server's name that all of its tools
carry, or the manner (`search_contacts_by_email` searches contacts).
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from mutx.governance.labelling.lexicon import FETCHES, LOOKS, READS, act_of, object_of, proper_act_of
from mutx.governance.labelling.parameters import is_number
from mutx.governance.labelling.spec import ToolSpec
from mutx.governance.words import stem, words

_SHARED = 3
"""Tools that carry a word in front before it counts as their server's name."""
_LEADING = frozenset(
    "this tool function endpoint method api operation command is used use to for allows allow lets let enables enable can "
    "be will you the a an user users agent and it please that which helper utility one able".split()
)
"""What a description may say before its verb."""
_NOUN_FIRST = frozenset(
    "what who which how when where latest recent current information info details list all the a an overview directory "
    "history status data everything content".split()
)
"""First words of a description that has no verb: it says what comes back."""
_NOUNS_TOO = frozenset(
    "payment invitation reservation cancellation deletion log file call order post hold mark copy note run place record "
    "draft message comment share like move transfer reply report invite review booking update approval purchase deposit "
    "withdrawal release schedule archive email mail text contact request issue merge deploy deployment open plan".split()
)
_ALSO_NOUNS = frozenset(
    map(stem, "list view check count query status info search read watch load rank scan head tail".split())
)
_ASKS = frozenset("who what which when where how is has are can".split())
_READ_ONLY = re.compile(r"\bread[ -]only\b|\bonly reads\b|\bselect (?:statement|query|queries)\b", re.I)
_LISTS = frozenset(
    "list search lookup info details history overview summary catalog catalogue directory available".split()
)
_FILTERS = frozenset("since until after before query q search filter limit offset page cursor sort".split())
"""What nothing but a choice among what there is is made by."""
_NOUN_PHRASE = re.compile(r"\s*\w+s (?:of|for|from|in|by|per|that|who|which|with)\b")
"""`Orders of buyers` are things; `Orders a part` does something."""
_KEPT = frozenset(
    "email message event transaction file contact order ticket issue record task note product stock review".split()
)
"""Kinds of things that are read when they are named; a `light` may be switched."""
_VERB_PHRASE = re.compile(r"\s*\w+ (?:the|an?|all|every|your|this|it)\b")
_WITH = re.compile(r"\s*\w+ (?:with|of)\b")
"""`Contract with its tariff` contracts nothing."""
_VERSION = re.compile(r"v?\d{1,3}")
_TELLS = frozenset(
    map(
        stem,
        "give provide tell report return show collect gather obtain enumerate look pull grab answer say determine identify "
        "locate resolve measure yield present outline trace track monitor follow observe produce render open use test "
        "work match perform make take do have call run allow let enable help support serve act offer expose execute".split(),
    )
)
"""What descriptions of reading say, too."""
_TWO_SIDED = frozenset(
    map(stem, "load scan display print convert translate suggest recommend extract return rank verify validate".split())
)
"""Verbs of reading by which things are moved, shown to others or made, too."""
_SINGULAR = frozenset("status is has ls".split())
_PARTICIPLE = 4
_NOT_OWN = frozenset(map(stem, "set put make get do use give take let have be new".split()))


class Doing(Struct, frozen=True):
    """An act, what it is done to, and the tool's own verbs for it."""

    act: str | None
    """None: it reads."""
    about: tuple[str, ...]
    """The name's words beside the verb."""
    verbs: tuple[str, ...] = ()


def shared_prefixes(tools: Sequence[ToolSpec]) -> frozenset[str]:
    """First words of names that say whose tools they are, and not what these do."""
    names = [_words(tool.name) for tool in tools]
    first = Counter(name[0] for name in names if len(name) > 1)
    reading = {name[0] for name in names if len(name) > 1 and stem(name[1]) in LOOKS}
    return frozenset(word for word, count in first.items() if count >= _SHARED and _is_name(word, word in reading))


def _is_name(word: str, reading: bool) -> bool:
    """No verb and no thing; or a verb that a verb of reading follows."""
    if stem(word) in READS:
        return False
    return (object_of(word) is None and proper_act_of(word) is None) or (reading and word in _NOUNS_TOO)


def doing(tool: ToolSpec, prefixes: frozenset[str] = frozenset()) -> Doing:
    name = _words(tool.name)
    if len(name) > 1 and name[0] in prefixes:
        name = name[1:]
    act, at = _act(tool, name)
    about = tuple(word for place, word in enumerate(name) if place != at)
    return Doing(act, about, () if act is None else tuple(_own(tool, name, at)))


def reads_surely(tool: ToolSpec) -> bool:
    """Does its description say so, or its name with nothing said against it, or is there nothing that could be done?"""
    said = described_verb(tool.description)
    if tool.reads or stem(said) in READS - _TWO_SIDED or not any(one.required for one in tool.parameters):
        return True
    does = stem(said) not in _TELLS and _VERB_PHRASE.match(tool.description) is not None
    looks = any(stem(word) in LOOKS for word in _words(tool.name))
    return looks and not does


def leads_anywhere(tool: ToolSpec) -> tuple[str, ...]:
    """Arguments by which a tool is led to any place on the network."""
    return tuple(
        one.name
        for one in tool.parameters
        if set(map(stem, words(one.name))) & {"url", "uri", "link", "domain", "host"}
    )


def _words(name: str) -> list[str]:
    found = [word.casefold() for word in words(name)]
    while len(found) > 1 and _VERSION.fullmatch(found[-1]):
        found.pop()
    return found[: found.index("by")] if "by" in found[1:] else found


def _act(tool: ToolSpec, name: list[str]) -> tuple[str | None, int | None]:
    """The act, and where in the name it stands. What is not understood, writes."""
    may_read = tool.reads is not False and not _is_counter(name)
    if tool.reads or (may_read and _opens_one(tool, name)):
        return None, None
    if name[:1] == ["return"]:
        # No tool is named for what it returns: it gives something back.
        return "return", 0
    said = described_verb(tool.description)
    if (belied := _belied(tool, name, said)) is not None:
        return belied
    says_reads = may_read and stem(said) in READS
    method = _method(tool, name)
    if method is not None:
        return (None, method) if may_read and stem(name[method]) in READS else (proper_act_of(name[method]), method)
    both = next((at for at, word in enumerate(name) if at and stem(word) == stem(said)), None)
    if both is not None and stem(name[0]) not in LOOKS and proper_act_of(said) is not None:
        return proper_act_of(said), both
    if may_read and _only_asks(tool, name, said):
        return None, None
    if name and _reads_first(tool, name[0], said):
        return (None, 0) if may_read else ("run", 0)
    for at, word in enumerate(name):
        if may_read and at and _looks(name, at, says_reads=says_reads):
            return None, None
        act = _turned(name, at) or proper_act_of(word)
        verb = at == 0 or object_of(word) is None or (at == len(name) - 1 and word == "update")
        if act is not None and verb and not (says_reads and _is_noun_too(word)):
            return act, at
    if may_read and _needs_nothing(tool, name, said):
        return None, None
    first = act_of(name[0]) if name else None
    if first is not None and not says_reads:
        return first, 0
    if says_reads or (may_read and _says_what(tool.description, said)):
        return None, None
    found = act_of(said) if said else None
    return (found, None) if found else (name[0] if name else "run", 0)


def _belied(tool: ToolSpec, name: list[str], said: str) -> tuple[str | None, int | None] | None:
    """The act of a name that begins as if it only read: `get_or_create`, `list_add`, or one that says what it does."""
    first = stem(name[0]) if name else ""
    if first not in READS and first not in _ASKS:
        return None
    if name[0].endswith("s") and name[0] not in _SINGULAR:
        # `queries.reply`: what there are several of is no verb.
        for at, word in enumerate(name[1:], 1):
            if (
                stem(word) not in READS
                and (act := act_of(word))
                and (stem(word) == stem(said) or not _is_noun_too(word))
            ):
                return act, at
    for at in range(1, len(name) - 1):
        if name[at] in {"and", "or"} and stem(name[at + 1]) not in READS and object_of(name[at + 1]) is None:
            return act_of(name[at + 1]) or name[at + 1], at + 1
    does = _does(tool.description, said, known=first in LOOKS or first in _ASKS)
    if does is not None:
        return does, next((at for at, word in enumerate(name) if stem(word) == stem(said)), None)
    last = name[-1]
    bare = last == "update" or not (_is_noun_too(last) or last.endswith("ed"))
    if first in _ALSO_NOUNS and len(name) > 1 and bare and stem(said) not in READS:
        act = last if last == "update" else (proper_act_of(last) if object_of(last) is None else None)
        return (act, len(name) - 1) if act is not None else None
    return None


def _does(description: str, said: str, *, known: bool) -> str | None:
    """What a description says that is done, by a verb in its first place; `known`: only by a verb that is listed."""
    if not said.endswith("s") or stem(said) in READS or stem(said) in _TELLS or _NOUN_PHRASE.match(description):
        return None
    act = proper_act_of(said)
    if act is not None and not _is_noun_too(said):
        return act
    return (act_of(said) or said) if _VERB_PHRASE.match(description) and not (known and act_of(said) is None) else None


def _opens_one(tool: ToolSpec, name: list[str]) -> bool:
    """`open_order` with nothing but its number shows it; with a title it would be a new one."""
    given = tool.parameters
    return name[:1] == ["open"] and object_of(name[-1]) in _KEPT and len(given) == 1 and is_number(given[0].name)


def _only_asks(tool: ToolSpec, name: list[str], said: str) -> bool:
    """`who-is-on-call` asks, and so does `grantList`, unless it says that it grants; and what runs what only reads."""
    if name[:1] and name[0] in _ASKS:
        return True
    if _READ_ONLY.search(tool.description) and act_of(name[0] if name else "run") in {None, "run"}:
        return True
    does = stem(said) in {stem(name[0]), *LOOKS} if name and _WITH.match(tool.description) is None else False
    return len(name) > 1 and name[-1] in _LISTS and not does and act_of(said) is None


def _needs_nothing(tool: ToolSpec, name: list[str], said: str) -> bool:
    """The name of a thing, and nothing that has to be given: `Members`, `Inbox`. What is to be done would have to be."""
    if any(one.required and one.name.casefold() not in _FILTERS for one in tool.parameters) or leads_anywhere(tool):
        return False
    if _NOUN_PHRASE.match(tool.description) is not None:
        return True
    thing = len(name) == 1 and (name[0].endswith("s") or object_of(name[0]) in _KEPT) and act_of(name[0]) is None
    return thing and proper_act_of(said) is None and _VERB_PHRASE.match(tool.description) is None


def _method(tool: ToolSpec, name: list[str]) -> int | None:
    """Where the verb of `compute.instances.stop` stands: at the start of the last part, if it is one."""
    parts = [part for part in re.split(r"[./:]|__", tool.name) if part]
    at = len(name) - len(list(words(parts[-1]))) if len(parts) > 1 else 0
    if not 0 < at < len(name):
        return None
    word = name[at]
    return (
        at if (stem(word) in READS and word != "return") or (proper_act_of(word) and object_of(word) is None) else None
    )


def _looks(name: list[str], at: int, *, says_reads: bool) -> bool:
    """Is this word of a name a verb of looking? `status` is none in `boost_status`, but `list` is in `message_list`."""
    verb = stem(name[at])
    if verb not in LOOKS:
        return False
    thing = object_of(name[0]) is not None and act_of(name[0]) is None
    return verb not in _ALSO_NOUNS or says_reads or (at == len(name) - 1 and thing)


def _reads_first(tool: ToolSpec, word: str, said: str) -> bool:
    verb = stem(word)
    if verb in LOOKS:
        return True
    if verb in READS and word != "return":
        # `compute.instances.stop` computes nothing.
        return stem(said) in READS or proper_act_of(said) is None
    return verb in FETCHES and bool(leads_anywhere(tool))


def described_verb(description: str) -> str:
    """The first word that is not `This tool allows you to`."""
    return next((word.casefold() for word in words(description[:400]) if word.casefold() not in _LEADING), "")


def _says_what(description: str, said: str) -> bool:
    """`Latest items of a feed.` says what comes back, not what is done."""
    first = next(words(description), "").casefold()
    return first in _NOUN_FIRST and act_of(said) is None


def _turned(name: list[str], at: int) -> str | None:
    """`turn_off` is no `turn_on`."""
    if name[at] in {"turn", "switch", "power", "shut"} and name[at + 1 : at + 2]:
        return {"off": "disable", "down": "disable", "on": "enable"}.get(name[at + 1])
    return None


def _is_counter(name: list[str]) -> bool:
    """`check_in_guest`, `check_out`: verbs of reading that read nothing."""
    return name[:2] in (["check", "in"], ["check", "out"], ["get", "rid"])


def _is_noun_too(word: str) -> bool:
    return word in _NOUNS_TOO or word.endswith("ing") or (word.endswith("s") and word[:-1] in _NOUNS_TOO)


def _own(tool: ToolSpec, name: list[str], at: int | None) -> Iterable[str]:
    """The verbs that the tool's author used: the name's, the description's, and `mark as solved`."""
    if at is not None and at < len(name):
        yield name[at]
    elif name and act_of(name[0]) is None:
        # `silence_alert`, which mutes it: a verb that nobody listed, before what it is done to.
        yield name[0]
    said = described_verb(tool.description)
    if said and stem(said) not in READS:
        yield said
    first = tool.description.partition(".")[0].casefold().split()[:12]
    for before, word in itertools.pairwise(first):
        if before == "as" and word.endswith("ed") and len(word) > _PARTICIPLE:
            yield word


def speaks_for_itself(word: str) -> bool:
    """Is a tool's own verb, found in a request, enough by itself?"""
    return stem(word) not in _NOT_OWN and object_of(word) is None and act_of(word) is None
