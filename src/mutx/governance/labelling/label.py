"""From a tool's own words to what a policy says of it: what it does, to what, where it leads, which arguments matter."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from mutx.governance.labelling.lexicon import ACTS, FETCHES, OBJECTS, READS, act_of, object_of, proper_act_of
from mutx.governance.labelling.spec import ParameterSpec, ToolSpec
from mutx.governance.requested import RequestWords
from mutx.governance.tools import Access
from mutx.governance.words import stem, stems, words

DESTINATIONS = frozenset(
    map(
        stem,
        "recipient recipients to cc bcc email emails address addressee participant participants attendee attendees "
        "invitee invitees guest user username userid member channel room group iban account payee beneficiary phone "
        "url uri link webhook endpoint host domain destination target receiver audience collaborator assignee owner "
        "reviewer handle wallet bucket repo repository remote customer contact person".split(),
    )
)
AUTHORITY = frozenset(
    map(
        stem,
        "permission permissions role scope password passphrase secret pin token key admin visibility access public acl".split(),
    )
)
AMOUNTS = frozenset(map(stem, "amount price sum total fee budget limit value".split()))
COMMANDS = frozenset(map(stem, "command cmd sql script code expression statement shell program".split()))
CONTENT = frozenset(
    map(
        stem,
        "body content contents message text subject title description note notes comment location reason summary "
        "caption label tags details date time start end day when format language locale page limit offset recurring".split(),
    )
)
OWN = frozenset(map(stem, "current my me own self profile today now time timezone preference setting".split()))
DIRECTORIES = frozenset(
    map(stem, "contact contacts directory employee staff colleague roster member users people addressbook".split())
)
_DETAILS = frozenset(map(stem, ("user", "info", "information", "details", "account", "balance")))
DESTRUCTIVE = frozenset(
    {"delete", "cancel", "remove", "close", "kill", "disable", "move", "share", "approve", "assign"}
)
AUTHORED = frozenset(
    map(
        stem,
        "file document doc page webpage website web email mail message note comment review post article content text thread chat".split(),
    )
)
"""What others wrote: its lines are not the tool's."""
_FETCHING = RequestWords(
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
    ),
    objects=("article", "page", "site", "blog", "post", "news", "web", "content", "text"),
)
OUTWARD = frozenset({"send", "pay", "share", "invite", "post", "upload", "reserve", "buy"})


class ToolLabel(Struct, frozen=True, kw_only=True):
    """What is proposed for one tool."""

    name: str
    description: str
    access: Access
    trusted: bool
    """Its output vouches for values: a directory, or what the account itself holds."""
    outward: bool
    """It hands something to someone outside the session."""
    critical: tuple[str, ...] = ()
    referable: tuple[str, ...] = ()
    """Critical arguments whose value may be picked from a field of what was read."""
    selectable: tuple[str, ...] = ()
    """Critical arguments whose value may be chosen among whatever was read."""
    lines: bool = False
    """It lays out what it returns by itself."""
    requested_by: RequestWords | None = None
    why: str = ""


def label(tool: ToolSpec) -> ToolLabel:
    """Deterministic; knows nothing but the tool's own words."""
    name = _without_manner([word.casefold() for word in words(tool.name)])
    act, at = _act(tool, name)
    about = name if at is None else name[:at] + name[at + 1 :]
    if act is None:
        fetched = _fetched(tool)
        return ToolLabel(
            name=tool.name,
            description=_first(tool.description),
            access=Access.READ,
            trusted=not fetched and _trusted(tool, name),
            outward=bool(fetched),
            critical=fetched,
            selectable=fetched,
            requested_by=_FETCHING if fetched else None,
            lines=not fetched and not _stems(name) & AUTHORED,
            why="reads" if not fetched else "reads from an address that its argument names",
        )
    act = _meant(act, about)
    critical = _critical(tool, act, about)
    return ToolLabel(
        name=tool.name,
        description=_first(tool.description),
        access=Access.DELETE if act in {"delete", "remove"} else Access.WRITE,
        trusted=False,
        outward=act in OUTWARD or _outward(critical),
        critical=critical,
        referable=tuple(path for path in critical if not _secret(path) and _destination(path)),
        selectable=tuple(path for path in critical if not _secret(path) and not _destination(path)),
        requested_by=_requested_by(act, about, tool),
        why=f"{act}s" if act in ACTS else f"does something called {act}",
    )


def _meant(act: str, about: list[str]) -> str:
    """Sending money is paying, and adding a permission is sharing."""
    things = {object_of(word) for word in about} - {None}
    if act in {"send", "create", "schedule"} and things & {"money", "transaction"} and not _stems(about) & _BILLS:
        return "pay"
    return "share" if act in {"create", "append", "update"} and "permission" in things else act


def _without_manner(name: list[str]) -> list[str]:
    """`search_contacts_by_email` searches contacts."""
    return name[: name.index("by")] if "by" in name[1:] else name


def _act(tool: ToolSpec, name: list[str]) -> tuple[str | None, int | None]:
    """The act by the name's first verb, else by the description's; None: it reads. What is not understood, writes."""
    places = list(enumerate(name))
    verb = stem(name[0]) if name else ""
    reads = tool.reads is not False and not _is_counter(name)
    if verb in READS or (verb in FETCHES and _fetched(tool)):
        return (None, 0) if reads else ("run", 0)
    acts = [(proper_act_of(word), at) for at, word in places] + [(act_of(word), 0) for word in name[:1]]
    if tool.reads:
        return None, None
    proper = next(
        ((act, at) for act, at in acts[:-1] if act is not None and (at == 0 or not _is_thing(name[at]))), None
    )
    if proper is not None:
        return proper
    if reads and any(stem(word) in READS for word in name):
        return None, None
    first = next(words(tool.description), "")
    if acts and acts[-1][0] is not None and stem(first) not in READS:
        return acts[-1]
    if reads and stem(first) in READS:
        return None, None
    found = act_of(first)
    return (found, None) if found else (name[0] if name else "run", 0)


def _is_counter(name: list[str]) -> bool:
    """`check_in_guest`, `check_out`: verbs of reading that read nothing."""
    return name[:2] in (["check", "in"], ["check", "out"], ["get", "rid"])


def _is_thing(word: str) -> bool:
    return object_of(word) is not None


def _fetched(tool: ToolSpec) -> tuple[str, ...]:
    """Arguments of a reading tool that lead anywhere on the network."""
    return tuple(
        one.name
        for one in tool.parameters
        if set(map(stem, words(one.name))) & {"url", "uri", "link", "domain", "host"}
    )


def _trusted(tool: ToolSpec, name: list[str]) -> bool:
    about = _stems(name)
    if about & OWN or (about & DIRECTORIES and "message" not in about and "email" not in about):
        return True
    described = tool.description.casefold()
    one_thing = bool(name) and not (name[-1].endswith("s") and not name[-1].endswith("ss"))
    if (
        one_thing
        and not tool.parameters
        and ("the current" in described or "of the user" in described or "user's own" in described)
    ):
        return True
    return not tool.parameters and bool(about & _DETAILS)


def _stems(name: Iterable[str]) -> set[str]:
    return set(map(stem, name))


def _critical(tool: ToolSpec, act: str, about: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.name for one in tool.parameters if _matters(one, act, about))


def _matters(one: ParameterSpec, act: str, about: Iterable[str]) -> bool:
    name = [stem(word) for word in words(one.name)]
    parts = set(name)
    if parts & CONTENT and not parts & (DESTINATIONS - {stem("address")} | AUTHORITY):
        return False
    if parts & (DESTINATIONS | AUTHORITY | COMMANDS):
        return one.type != "boolean" or bool(parts & AUTHORITY)
    if parts & AMOUNTS:
        return act in {"pay", "buy", "schedule", "update", "approve"}
    if act not in _LOOSE and parts & _stems(about):
        return True
    if act in DESTRUCTIVE | {"reschedule", "update", "pay"}:
        return bool(parts & {"id", "name", "filename", "file", "path", "number"}) or _named_for(one, "id")
    if act in {"reserve", "buy"}:
        return one.type in {"string", ""} and not parts & CONTENT
    return False


def _named_for(one: ParameterSpec, word: str) -> bool:
    return word in stems(one.description)[:4]


def _secret(path: str) -> bool:
    return bool(set(map(stem, words(path))) & (AUTHORITY | COMMANDS))


def _destination(path: str) -> bool:
    """Leads somewhere, or says how much: not one of several things that were found."""
    name = list(map(stem, words(path)))
    return name[-1:] != ["id"] and bool(set(name) & (DESTINATIONS | AMOUNTS))


def _outward(critical: Iterable[str]) -> bool:
    return any(set(map(stem, words(path))) & DESTINATIONS for path in critical)


def _requested_by(act: str, about: list[str], tool: ToolSpec) -> RequestWords:
    """By the act's verbs; those that say too little by themselves together with a word for what it is done to."""
    verbs = ACTS.get(act, (f"{act}*", *ACTS["update"], *ACTS["create"]))
    objects = _objects(about, tool)
    for other in filter(None, map(act_of, about if act in _MAKING else ())):
        # `add_issue_comment`: people comment, as they mail, order and post.
        verbs = tuple(dict.fromkeys((*verbs, *ACTS[other])))
    if act in _LOOSE:
        verbs = tuple(dict.fromkeys((*verbs, *_WANTING)))
        verbs += tuple(f"{word}*" for word in about if stem(word) in _BILLS)
    for other, among in _ALSO.get(act, {}).items():
        if set(objects) & among:
            verbs = tuple(dict.fromkeys((*verbs, *ACTS[other])))
    alone = tuple(verb.rstrip("*") for verb in verbs if verb.endswith("*"))
    return RequestWords(
        words=alone,
        verbs=tuple(verb for verb in verbs if not verb.endswith("*")),
        objects=objects,
    )


_MAKING = frozenset({"append", "create", "send", "post"})
_LOOSE = _MAKING | {"schedule", "reserve", "upload"}
"""Acts that people ask for in any words that want something made, as long as they name the thing."""
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


def _objects(about: list[str], tool: ToolSpec) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for word in (one for one in about if len(one) > 2):
        family = object_of(word)
        if family or act_of(word) is None:
            found.update(dict.fromkeys(OBJECTS[family] if family else (word,)))
    if not found:
        for word in stems(tool.description)[1:6]:
            if (family := object_of(word)) is not None:
                found.update(dict.fromkeys(OBJECTS[family]))
    return tuple(found)


def _first(text: str) -> str:
    """The first sentence."""
    return " ".join(text.split()).partition(". ")[0][:200]
