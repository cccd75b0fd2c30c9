"""What one agent hands another: values. A chain of hops runs from the agent that acts by its own right to the one that acts."""

from msgspec import Struct, field

MAX_HOPS = 8
HAND_OFF = "delegate/"
"""A hand-off is a call of `delegate/<agent>`: policies decide it like any other."""


class DelegationGrant(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A tool, or a glob over tools, and what its arguments may be at most."""

    tool: str
    ceilings: dict[str, float] = field(default_factory=dict)
    """Dotted argument path -> largest number; the argument must then be there."""


class DelegationBudget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What all calls together may spend. An argument that is absent spends nothing."""

    argument: str
    """Dotted path."""
    max: float


class DelegationHop(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One agent hands a part of what it may do to another."""

    id: str
    delegator: str
    delegate: str
    grants: tuple[DelegationGrant, ...]
    expires_at: float
    depth: int = 0
    """How many further hops may follow this one."""
    calls: int | None = None
    """Calls under this hop, those of later hops included; None: as many as the hops before allow."""
    budget: DelegationBudget | None = None


Chain = tuple[DelegationHop, ...]
