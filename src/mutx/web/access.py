"""What a caller may do: roles give scopes, keys narrow them, operations ask for one.

A scope is `family:verb` or a bare verb that holds for every family. Verbs, each including those before it:
read, write, admin. `act` is what an agent does for itself (heartbeat, decide, conclude); `write` includes it too.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from mutx.governance.types import Caller
from mutx.kit.errors import PermissionDenied, Unauthenticated

INCLUDED_IN: Mapping[str, tuple[str, ...]] = {
    "read": ("read", "write", "admin"),
    "act": ("act", "write", "admin"),
    "write": ("write", "admin"),
    "admin": ("admin",),
}
"""A verb and the verbs that include it."""

ROLE_SCOPES: Mapping[str, tuple[str, ...]] = {
    "ADMIN": ("admin",),
    "DEVELOPER": ("write",),
    "AUDIT_ADMIN": ("audit:admin", "security:read", "auth:read", "workspaces:read"),
    "VIEWER": ("read",),
}
"""Product security document, RBAC table; ADMIN satisfies every check."""

AGENT_SCOPES = ("act", "governance:read", "agents:read", "governance:read", "policies:read", "security:read")
"""What an agent's own key may do; the services narrow it further, to that agent."""


def scopes_of(roles: Iterable[str]) -> tuple[str, ...]:
    """The scopes that roles give, without duplicates; an unknown role gives none."""
    return tuple(dict.fromkeys(scope for role in roles for scope in ROLE_SCOPES.get(role, ())))


def covers(scopes: Iterable[str], wanted: str) -> bool:
    """Whether any of `scopes` includes `wanted` (`family:verb`, or a bare verb: then only a bare one does)."""
    family, _, verb = wanted.rpartition(":")
    enough = INCLUDED_IN.get(verb, ())
    return any(held in enough or (family and held in {f"{family}:{v}" for v in enough}) for held in scopes)


def narrowed(scopes: Iterable[str], limits: Iterable[str]) -> tuple[str, ...]:
    """Of what a key was given, what its owner still holds; or of the owner's, what the key was given."""
    held, limits = tuple(scopes), tuple(limits)
    kept = [scope for scope in limits if covers(held, scope)]
    return tuple(dict.fromkeys(kept + [scope for scope in held if covers(limits, scope)]))


def capped(role: str, cap: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The weaker of two roles and its scopes; None where neither includes the other, with the scopes they share."""
    held = scopes_of((role,))
    if cap is None:
        return role, held
    limits = scopes_of((cap,))
    if all(covers(held, scope) for scope in limits):
        return cap, limits
    if all(covers(limits, scope) for scope in held):
        return role, held
    return None, narrowed(held, limits)


_covers = lru_cache(maxsize=4096)(covers)
"""A pure function of few different arguments that every request asks."""


def require(caller: Caller | None, scope: str) -> Caller:
    """The caller, if it holds `scope`. Raises Unauthenticated or PermissionDenied."""
    if caller is None:
        raise Unauthenticated("sign in, or send an API key as `Authorization: Bearer ...` or `X-API-Key`")
    if not _covers(caller.scopes, scope):
        raise PermissionDenied(f"this needs the scope {scope}; ask an administrator of the workspace for it")
    return caller
