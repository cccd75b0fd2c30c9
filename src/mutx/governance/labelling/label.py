"""From a tool's own words to what a policy says of it: what it does, to what, where it leads, which arguments matter."""

from collections.abc import Iterable

from msgspec import Struct

from mutx.governance.labelling import parameters
from mutx.governance.labelling.acts import Doing, doing, leads_anywhere, reads_surely
from mutx.governance.labelling.asking import FETCHING, asked_by, is_loose, meant
from mutx.governance.labelling.lexicon import ACTS
from mutx.governance.labelling.spec import ToolSpec
from mutx.governance.requested import RequestWords
from mutx.governance.tools import Access
from mutx.governance.words import stem, words

OWN = frozenset(map(stem, "current my me own self profile today now time timezone preference setting".split()))
_DETAILS = frozenset(map(stem, ("user", "info", "information", "details", "account", "balance")))
AUTHORED = frozenset(
    map(
        stem,
        "file document doc page webpage website web email mail message note comment review post article content text "
        "thread chat inbox letter mention feed news log description attachment".split(),
    )
)
"""What others wrote: its lines are not the tool's."""
_WHOLE = frozenset(
    map(stem, "file document doc page webpage website web article content text attachment description".split())
)
"""What is returned as it is, unless it is listed."""
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
    records: bool = False
    """It lays out what others wrote, each text with who wrote it and when."""
    guarded: bool = False
    """It seems to read, and may do more: what a stranger tells its reader to do with it is asked about."""
    requested_by: RequestWords | None = None
    why: str = ""


def label(tool: ToolSpec, prefixes: frozenset[str] = frozenset()) -> ToolLabel:
    """Deterministic; knows nothing but the tool's own words, and the `prefixes` that its neighbours share with it."""
    found = doing(tool, prefixes)
    return (
        _reading(tool, found)
        if found.act is None
        else _writing(tool, found, meant(found.act, found.about, tool, found.verbs))
    )


def _reading(tool: ToolSpec, found: Doing) -> ToolLabel:
    fetched = leads_anywhere(tool)
    about = _stems(found.about)
    guarded = not fetched and not reads_surely(tool)
    named = parameters.critical(tool, "update", found.about, loose=True) if guarded else ()
    return ToolLabel(
        name=tool.name,
        description=_first(tool.description),
        access=Access.READ,
        trusted=not fetched and _trusted(tool, found.about),
        outward=bool(fetched),
        critical=fetched or named,
        referable=named,
        selectable=fetched,
        guarded=guarded,
        requested_by=FETCHING if fetched else None,
        lines=not fetched and not about & AUTHORED,
        records=not fetched and bool(about & AUTHORED) and _lists(tool),
        why="reads" if not fetched else "reads from an address that its argument names",
    )


def _writing(tool: ToolSpec, found: Doing, act: str) -> ToolLabel:
    critical = parameters.critical(tool, act, found.about, loose=is_loose(act))
    open_to_choice = [path for path in critical if not parameters.is_secret(path)]
    return ToolLabel(
        name=tool.name,
        description=_first(tool.description),
        access=Access.DELETE if act in {"delete", "remove"} else Access.WRITE,
        trusted=False,
        outward=act in OUTWARD or parameters.outward(critical),
        critical=critical,
        referable=tuple(open_to_choice),
        requested_by=asked_by(act, found, tool),
        why=f"{act}s" if act in ACTS else f"does something called {act}",
    )


def _trusted(tool: ToolSpec, name: tuple[str, ...]) -> bool:
    about = _stems(name)
    if about & OWN:
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


def _lists(tool: ToolSpec) -> bool:
    """`list_files` and `searchDocuments` say which there are, and not what stands in one."""
    named = [word for word in words(tool.name) if stem(word) in _WHOLE]
    return all(word.endswith("s") for word in named)


def _stems(name: Iterable[str]) -> set[str]:
    return {stem(word) for one in name for word in words(one)}


def _first(text: str) -> str:
    """The first sentence."""
    return " ".join(text.split()).partition(". ")[0][:200]
