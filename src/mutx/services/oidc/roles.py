"""Which of our roles a token's claims give."""

from collections.abc import Iterator, Mapping
from typing import Any

STRONGEST_FIRST = ("ADMIN", "DEVELOPER", "AUDIT_ADMIN", "VIEWER")
MAX_VALUES = 1000


def mapped_role(claims: Mapping[str, Any], role_map: Mapping[str, str]) -> str | None:
    """The strongest role that any value of a role claim stands for; None if none stands for one.

    Read are `roles`, `groups`, `realm_access.roles` and every `resource_access.*.roles` (product security document).
    A value stands for what the map says of it, compared exactly. Only where there is no map at all does the bare name
    of one of our roles stand for itself.
    """
    values = list(_values(claims))[:MAX_VALUES]
    known = role_map or {name: name for name in STRONGEST_FIRST}
    found = {known[value] for value in values if value in known}
    return next((role for role in STRONGEST_FIRST if role in found), None)


def has_role_claim(claims: Mapping[str, Any]) -> bool:
    """Whether the claims speak of roles at all: then they are the whole truth about them."""
    return any(name in claims for name in ("roles", "groups", "realm_access", "resource_access"))


def _values(claims: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(claims.get("roles"))
    yield from _texts(claims.get("groups"))
    yield from _texts(_object(claims.get("realm_access")).get("roles"))
    for access in _object(claims.get("resource_access")).values():
        yield from _texts(_object(access).get("roles"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
