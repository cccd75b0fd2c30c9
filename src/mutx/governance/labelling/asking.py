"""By which words a user's request asks for a tool."""

import re
from collections.abc import Iterable, Mapping

from mutx.governance.labelling.acts import Doing, described_verb, speaks_for_itself
from mutx.governance.labelling.lexicon import ACTS, OBJECTS, act_of, object_of
from mutx.governance.labelling.spec import ToolSpec
from mutx.governance.requested import ORDER, RequestWords
from mutx.governance.words import stem, stems, words

FETCHING = RequestWords(
    words=(
        "browse",
        "visit",
        "website",
        "webpage",
        "link",
        "url",
        "online",
        "internet",
        "@link",
        "crawl",
        "scrape",
        "download",
    ),
    verbs=(
        "read",
        "open",
        "look",
        "check",
        "summarize",
        "summarise",
        "summary",
        "get",
        "find",
        "fetch",
        "see",
        "go",
        "show",
        "search",
        "access",
        "tell",
        ORDER,
    ),
    objects=("article", "page", "site", "blog", "post", "news", "web", "content", "text", "recipe"),
)
_ASIDE = re.compile(r"\([^()]{0,200}\)")
_MAKING = frozenset({"append", "create", "send", "post"})
GRAVE = frozenset({"delete", "remove", "cancel", "kill", "disable", "pay", "share", "run", "approve", "close"})
"""Acts that are asked for by a verb of their own, or in other words that say of what."""
_WANTING = ("answer", "respond", "get", "do", "prepare", "handle", "give", "let", "provide", "put", "make", "create", "add",
            "write", "send", "submit", "file", "raise", "issue", "open", "record", "note", "set", "draft", "leave")  # fmt: skip
_BILLS = frozenset(map(stem, ("invoice", "bill", "quote")))
_PEOPLE = frozenset({"user", "member", "participant", "attendee", "channel", "event"})
_ALSO: Mapping[str, Mapping[str, frozenset[str]]] = {
    "create": {"schedule": frozenset({"event"})},
    "append": {"invite": _PEOPLE},
    "share": {"invite": _PEOPLE},
    "invite": {"append": _PEOPLE},
}
"""Act -> acts by which people ask for it too, where it is done to one of these."""
_MONEY = frozenset({"money", "transaction"})
_VAGUE = frozenset(
    map(
        stem,
        "id name type kind text value data key code date time start end from until to title body content note notes "
        "description reason format limit offset page count number status state order filter query comment day month year "
        "message subject currency language locale option flag enabled url link email address user username account "
        "recurring details amount item object source target destination action location summary file path list new".split(),
    )
)
"""Parameter names that say nothing of what a tool is about."""


def meant(act: str, about: Iterable[str], tool: ToolSpec, verbs: Iterable[str] = ()) -> str:
    """Sending money is paying, adding a permission is sharing, and what is transferred may be no money."""
    about = tuple(about)
    things = {object_of(word) for word in about} - {None}
    if (
        act in {"send", "create", "schedule"}
        and things & {"money", "transaction"}
        and not set(map(stem, about)) & _BILLS
    ):
        return "pay"
    hands_over = "transfer" in verbs and not things & _MONEY and not _has_amount(tool)
    makes = act in {"create", "append", "update"}
    if act == "pay" and hands_over:
        return "assign"
    public = "public" in about and (act == "update" or {"link", "url", "access"} & set(about))
    return "share" if makes and ("permission" in things or public) else act


def _has_amount(tool: ToolSpec) -> bool:
    return any(
        _MONEY & {object_of(word) for word in words(one.name)} or "amount" in one.name for one in tool.parameters
    )


def is_loose(act: str) -> bool:
    return act in _MAKING | {"schedule", "reserve", "upload"}


def asked_by(act: str, doing: Doing, tool: ToolSpec) -> RequestWords:
    """By the act's verbs; those that say too little by themselves together with a word for what it is done to."""
    about = doing.about
    verbs = ACTS.get(act, (*ACTS["update"], *ACTS["create"]))
    objects = _objects(act, about, tool)
    for other in filter(None, map(act_of, about if act in _MAKING else ())):
        # `add_issue_comment`: people comment, as they mail, order and post.
        verbs = (*verbs, *ACTS[other])
    if is_loose(act):
        verbs += tuple(f"{word}*" for word in about if stem(word) in _BILLS)
    for other, among in _ALSO.get(act, {}).items():
        if set(objects) & among:
            verbs = (*verbs, *ACTS[other])
    if act not in GRAVE:
        verbs = (*verbs, *_WANTING, ORDER)
    verbs += tuple(f"{word}*" if speaks_for_itself(word) or not objects else word for word in doing.verbs)
    verbs = tuple(dict.fromkeys(verbs))
    return RequestWords(
        words=tuple(verb.rstrip("*") for verb in verbs if verb.endswith("*")),
        verbs=tuple(verb for verb in verbs if not verb.endswith("*")),
        objects=objects,
        freely=act not in GRAVE,
        closely=act in GRAVE,
    )


def _objects(act: str, about: Iterable[str], tool: ToolSpec) -> tuple[str, ...]:
    """What it is done to: by the name and the parameters; by the description if these say nothing, or little is at stake."""
    found: dict[str, None] = {}
    for word in (one for one in about if len(one) > 2):
        family = object_of(word)
        if family or act_of(word) is None:
            found.update(dict.fromkeys(OBJECTS[family] if family else (word,)))
    named = (word.casefold() for one in tool.parameters for word in words(one.name))
    found.update(dict.fromkeys(word for word in named if len(word) > 2 and stem(word) not in _VAGUE))
    if not found or act not in GRAVE:
        verb = stem(described_verb(tool.description))
        for word in stems(_ASIDE.sub(" ", tool.description))[:8]:
            if word != verb and (family := object_of(word)) is not None:
                found.update(dict.fromkeys(OBJECTS[family]))
    return tuple(found)
