"""Delegations: what one agent hands another, for a while, as a part of what it may do itself."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation

AgentName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ToolPattern = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""`*` stands for any characters."""
ArgumentPath = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""Dotted: `card.amount`."""
MAX_SECONDS = 30 * 86_400


class DelegatedTool(Input):
    """A tool, and what its arguments may be at most; an argument with a ceiling must be there."""

    tool: ToolPattern
    ceilings: dict[ArgumentPath, float] = Field(default_factory=dict, max_length=20)


class DelegatedBudget(Input):
    """What all calls together may spend; a call without the argument spends nothing."""

    argument: ArgumentPath
    max: float = Field(ge=0, le=1e9)


class DelegationCreate(Input):
    """An agent's own key delegates for that agent only, and its hand-off is decided by the policies as a call of
    `delegate/<agent>` in `session_id`. People and their keys delegate for any agent of the workspace.
    """

    delegate: AgentName
    """Who receives it."""
    tools: list[DelegatedTool] = Field(min_length=1, max_length=50)
    """What is handed on."""
    seconds: float = Field(gt=0, le=MAX_SECONDS)
    """How long it holds; never longer than the delegation it is a part of."""
    delegator: AgentName | None = None
    """Who hands it on; an agent's own key may leave it out."""
    depth: int = Field(default=0, ge=0, le=7)
    """How many further hand-offs may follow."""
    calls: int | None = Field(default=None, ge=1, le=1_000_000)
    """How many calls it covers; any number unless given."""
    budget: DelegatedBudget | None = None
    """What these calls may spend."""
    delegation: str | None = Field(default=None, max_length=40_000)
    """The token under which the delegating agent acts itself; what is handed on is a part of that."""
    session_id: str | None = Field(default=None, min_length=1, max_length=256)
    """The session in which an agent hands on."""
    action_id: str | None = Field(default=None, min_length=8, max_length=128)
    """The same id gives the same answer: ask again with it once a person has approved."""


class Delegation(Schema):
    id: UUID
    delegator: str
    delegate: str
    parent_id: UUID | None = None
    """The delegation that this one is a part of."""
    tools: list[DelegatedTool]
    depth: int
    calls: int | None = None
    budget: DelegatedBudget | None = None
    issued_by: str
    user_id: str
    created_at: Timestamp
    expires_at: Timestamp
    revoked_at: Timestamp | None = None


class IssuedDelegation(Delegation):
    """With the token, which the sub-agent sends as `delegation` of each call."""

    token: str
    action_id: str | None = None
    receipt_id: str | None = None
    """Of the decision that allowed the hand-off."""


@operation("POST", "/delegations", scope="governance:act", status=201)
def create_delegation(body: DelegationCreate) -> IssuedDelegation:
    """Hand a part of what an agent may do to another. Refused where it is no part."""


@operation("GET", "/delegations", scope="governance:read")
def list_delegations(skip: Skip = 0, limit: Limit = 50) -> Page[Delegation]:
    """List delegations, the newest first; an agent's own key sees those that it gave or received."""


@operation("DELETE", "/delegations/{delegation_id}", scope="governance:act")
def revoke_delegation(delegation_id: UUID) -> None:
    """End a delegation, and with it all that were handed on from it. It counts from the next call on."""
