"""What an FPL file says, as values with their places."""

from typing import Any

from msgspec import Struct, field

Place = tuple[int, int]
"""Line and column, from 1."""


class FplRule(Struct, kw_only=True):
    effect: str
    """allow, deny, forbid (`deny!`) or step_up."""
    tool: str
    when: str | None = None
    """CEL."""
    when_at: Place = (1, 1)
    notify: list[str] = field(default_factory=list)
    reason: str = ""
    place: Place


class FplBudget(Struct, kw_only=True):
    id: str
    max: float | None = None
    daily: float | None = None
    max_calls: int | None = None
    warn_at: float | None = None
    on_exceed: str = "deny"
    place: Place


class FplPhase(Struct, kw_only=True):
    id: str
    rules: list[FplRule] = field(default_factory=list)
    duration: str | None = None
    next: str | None = None
    next_at: Place = (1, 1)
    place: Place


class FplRate(Struct, kw_only=True):
    tool: str
    calls: int
    per: str
    place: Place


class FplRedaction(Struct, kw_only=True):
    tool: str
    paths: list[str]
    place: Place


class FplDelegate(Struct, kw_only=True):
    """Whom the agent may hand a part of its rights to."""

    to: str
    scope: list[str] = field(default_factory=list)
    ceilings: dict[str, float] = field(default_factory=dict)
    ttl: float | None = None
    approval: bool = False
    place: Place


class FplAgent(Struct, kw_only=True):
    """An agent block; the flat statements of a file are one for all agents."""

    id: str
    flat: bool = False
    default: str | None = None
    default_at: Place = (1, 1)
    about: dict[str, str] = field(default_factory=dict)
    """model, framework and version: they are told, not enforced."""
    variables: dict[str, Any] = field(default_factory=dict)
    rules: list[FplRule] = field(default_factory=list)
    budgets: list[FplBudget] = field(default_factory=list)
    phases: list[FplPhase] = field(default_factory=list)
    rates: list[FplRate] = field(default_factory=list)
    redactions: list[FplRedaction] = field(default_factory=list)
    delegates: list[FplDelegate] = field(default_factory=list)
    place: Place


class FplFile(Struct, kw_only=True):
    agents: list[FplAgent] = field(default_factory=list)
    """In order; a block between flat statements parts them."""
