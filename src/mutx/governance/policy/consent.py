"""What people have agreed to: the approval of this very action, and standing grants."""

from mutx.governance.types import Facts, GrantFact, ReasonCode


class Consent:
    """Satisfies questions, never denials. One decision uses at most one grant, so that its use can be counted."""

    __slots__ = ("_grants", "_satisfied", "approved", "grant_id")

    def __init__(self, facts: Facts) -> None:
        self._satisfied = facts.satisfied
        self._grants: tuple[GrantFact, ...] = tuple(
            grant for grant in facts.grants if grant.uses_left > 0 and grant.expires_at > facts.now
        )
        self.approved = False
        self.grant_id: str | None = None

    def answers(self, ask: str) -> bool:
        """Has a person said yes to this question, now or by a grant?"""
        return self.resolves(ask) or self._granted(ask)

    def resolves(self, ask: str) -> bool:
        """Has a person said yes to it for this action? Only this answers a deferral."""
        if ask not in self._satisfied:
            return False
        self.approved = True
        return True

    def _granted(self, ask: str) -> bool:
        for grant in self._grants:
            if ask in grant.rules and self.grant_id in {None, grant.id}:
                self.grant_id = grant.id
                return True
        return False

    def code(self, otherwise: ReasonCode) -> ReasonCode:
        """The reason code of an outcome that consent may have made possible."""
        if self.approved:
            return ReasonCode.APPROVED
        return ReasonCode.STANDING_GRANT if self.grant_id else otherwise
