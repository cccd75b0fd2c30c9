"""Which arguments of a tool that changes something matter, by their names."""

from collections.abc import Iterable

from mutx.governance.labelling.lexicon import ACTS
from mutx.governance.labelling.spec import ParameterSpec, ToolSpec
from mutx.governance.words import stem, stems, words


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


DESTINATIONS = _stems(
    "recipient recipients to cc bcc email emails address addressee participant participants attendee attendees "
    "invitee invitees guest user username userid member channel room group iban account payee beneficiary phone "
    "url uri link webhook endpoint host domain destination target receiver audience collaborator assignee owner "
    "reviewer handle wallet bucket repo repository remote customer contact person specialist supplier vendor provider "
    "advisor adviser lawyer pharmacy insurer fax ip image registry mailbox holder principal grantee heir guardian"
)
POSTAL = _stems("street city postcode zip postal")
"""Where something is shipped to; in the user's own profile, where the user lives."""
_OWN_PROFILE = _stems("user profile info")
AUTHORITY = _stems(
    "permission permissions role scope password passphrase secret pin token key admin visibility access public acl policy"
)
AMOUNTS = _stems("amount price sum total fee budget limit value data salary balance quantity")
PROGRAMS = _stems("command cmd script shell program")
COMMANDS = PROGRAMS | _stems("sql expression statement")
"""What is put together out of names that were read, and may be; a program is taken from nowhere."""
CONTENT = _stems(
    "body content contents message text subject title description note notes comment location reason summary "
    "caption label tags details date time start end day when day format language locale page limit offset recurring"
)
"""What is said, and when: neither leads anywhere nor names one thing among others."""
_IDENTIFIERS = _stems(
    "id iid uid guid uuid number no nos name filename file path sku slug isbn symbol ticker identifier code"
)
_NUMBERS = _stems("no nr number ref reference key path")
_PAYING = frozenset({"pay", "buy", "schedule", "update", "approve", "reschedule"})
DESTRUCTIVE = frozenset(
    {"delete", "cancel", "remove", "close", "kill", "disable", "move", "share", "approve", "assign"}
)
_NAMING = DESTRUCTIVE | {"reschedule", "update", "pay"}


def critical(tool: ToolSpec, act: str, about: Iterable[str], *, loose: bool) -> tuple[str, ...]:
    """What must not come from untrusted output alone."""
    things = set(map(stem, about))
    return tuple(one.name for one in tool.parameters if _matters(one, act, things, loose=loose))


def _matters(one: ParameterSpec, act: str, about: set[str], *, loose: bool) -> bool:
    name = [stem(word) for word in words(one.name)]
    parts, last = set(name), {stem(word) for word in words(one.name.rpartition(".")[2])}
    if last & CONTENT and not last & (DESTINATIONS - {stem("address")} | AUTHORITY):
        return False
    if parts & POSTAL:
        return not about & _OWN_PROFILE
    if parts & (DESTINATIONS | AUTHORITY | COMMANDS) or is_program(one.name):
        return one.type != "boolean" or bool(parts & AUTHORITY)
    # Of an act that nobody listed everything matters that names one thing or says how much.
    unknown = act not in ACTS
    if parts & AMOUNTS:
        return unknown or act in _PAYING
    if name and is_identifier(one.name):
        return True
    if not loose and parts & about:
        return True
    if unknown or act in _NAMING:
        return bool(parts & _IDENTIFIERS) or "id" in stems(one.description)[:4]
    if act in {"reserve", "buy"}:
        return one.type in {"string", ""} and not parts & CONTENT
    return False


def is_identifier(path: str) -> bool:
    """Does it name one of several things that were found?"""
    name = list(map(stem, words(path)))
    return bool(name) and name[-1] in {"id", "iid", "uid", "guid", "uuid", "sku", "identifier"}


def is_number(path: str) -> bool:
    """Does it say which one by a number or the like: `order_no`, `messageId`?"""
    name = list(map(stem, words(path)))
    return is_identifier(path) or (bool(name) and name[-1] in _NUMBERS)


def is_program(path: str) -> bool:
    """`code` is one, and `supplier_code` names something."""
    name = list(map(stem, words(path)))
    return name == ["cod"] or bool(set(name) & PROGRAMS)


def is_secret(path: str) -> bool:
    return is_program(path) or bool(set(map(stem, words(path))) & AUTHORITY)


def outward(paths: Iterable[str]) -> bool:
    return any(set(map(stem, words(path))) & DESTINATIONS for path in paths)
