"""What the names of an FPL condition mean here. A name that means nothing is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from mutx.governance.policy.fpl.cel_text import Cel, Level, literal, quoted
from mutx.governance.policy.fpl.scan import Scanner
from mutx.governance.policy.tokens import RESERVED

ALIASES: Mapping[str, str] = {"amount": "amount", "cmd": "cmd", "host": "host", "path": "path"}
"""Bare names that stand for an argument."""
DEPTH = "(size(identity.delegation) + 1)"
ORIGIN = "(size(identity.delegation) > 0 ? identity.delegation[0] : identity.agent)"
FACTS: Mapping[tuple[str, ...], str] = {
    ("tool_name",): "action.tool",
    ("session", "call_count"): "session.calls",
    ("principal", "verified"): "true",
    ("delegation", "depth"): DEPTH,
    ("delegation", "origin_agent"): ORIGIN,
    ("delegation", "agent_identity_verified"): "true",
    ("time", "hour"): "time.hour",
    ("time", "weekday"): "(time.weekday + 1)",
}
"""No call is decided whose identity was not verified at the door, so `verified` is true. FPL's Monday is 1."""
ADVICE: Mapping[str, str] = {
    "session": "of the session only call_count is known, and the history functions",
    "principal": "of the principal only role and verified are known",
    "delegation": "of the delegation only depth, origin_agent and agent_identity_verified are known",
    "time": "of the time only hour and weekday are known",
    "tool": "nothing is known of a tool but its name: tool_name",
    "selectors": "nothing outside is asked while a call is decided",
    "context": "nothing outside is asked while a call is decided",
}
ROLE = "identity.roles"
"""What `principal.role` reads: several roles, compared by membership."""


def resolve(scanner: Scanner, start: int, path: Sequence[str | int], variables: Mapping[str, Any]) -> Cel:
    """The piece of CEL for a path. Raises Refused for one that leads nowhere."""
    first = path[0]
    if path in (["true"], ["false"]):
        return literal(first == "true")
    if path in (["nil"], ["null"]):
        return Cel("null", Level.MEMBER, null=True)
    if first == "args" and len(path) > 1:
        return argument(path[1:])
    if first == "vars" and len(path) == 2 and path[1] in variables:
        return literal(variables[str(path[1])])
    if path == ["recipients"]:
        return Cel(f"size({argument(['recipients']).text})", Level.MEMBER)
    if len(path) == 1 and first in variables:
        return literal(variables[str(first)])
    if len(path) == 1 and first in ALIASES:
        return argument([ALIASES[str(first)]])
    if path == ["principal", "role"]:
        return Cel(ROLE, Level.MEMBER)
    if (fact := FACTS.get(tuple(map(str, path)))) is not None:
        return Cel(fact, Level.MEMBER, True if fact == "true" else None)
    shown = ".".join(map(str, path))[:80]
    advice = ADVICE.get(str(first), f"write `args.{first}` for an argument, or declare it with `var`")
    raise scanner.unsupported(f"`{shown}` is not known: {advice}", at=start)


def argument(path: Sequence[str | int]) -> Cel:
    """A place below the arguments."""
    text, parent = "args", "args"
    for part in path:
        parent = text
        text += _step(part)
    last = path[-1]
    absent = f"!has({text})" if _is_name(last) else f"!({quoted(str(last))} in {parent})"
    return Cel(text, Level.MEMBER, absent=None if isinstance(last, int) else absent)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _is_name(part) else f"[{quoted(part)}]"


def _is_name(part: str | int) -> bool:
    return isinstance(part, str) and part.isascii() and part.isidentifier() and part not in RESERVED
