"""What grants and denials below the roles leave of them."""

import pytest

from mutx.governance.limits import forbidden, silenced
from mutx.governance.types import AccessLimit, LimitedVerb

ACT, APPROVE = LimitedVerb.ACT, LimitedVerb.APPROVE


def limit(name: str, allows: bool, agent: str = "*", tool: str = "*", verb: LimitedVerb = ACT) -> AccessLimit:
    return AccessLimit(name, allows, verb, agent, tool)


@pytest.mark.parametrize(
    ("limits", "agent", "tool", "by"),
    [
        ([], "shop", "pay", None),
        ([limit("no-pay", False, tool="pay")], "shop", "pay", "no-pay"),
        ([limit("no-pay", False, tool="pay")], "shop", "read", None),
        ([limit("no-pay", False, agent="bank-*", tool="pay")], "shop", "pay", None),
        ([limit("shop", True, agent="shop")], "shop", "pay", None),
        ([limit("shop", True, agent="shop")], "bank", "pay", "shop"),
        ([limit("shop", True, agent="shop"), limit("bank", True, agent="bank")], "bank", "pay", None),
        ([limit("shop", True, agent="shop"), limit("no-pay", False, tool="pay")], "shop", "pay", "no-pay"),
        ([limit("shop", True, agent="shop", verb=APPROVE)], "bank", "pay", None),
        ([limit("no-pay", False, tool="pay", verb=APPROVE)], "shop", "pay", None),
    ],
)
def test_a_denial_that_fits_and_a_grant_that_does_not(
    limits: list[AccessLimit], agent: str, tool: str, by: str | None
) -> None:
    assert forbidden(limits, ACT, agent, tool) == by


def test_only_a_denial_of_everything_silences_an_agent() -> None:
    limits = [
        limit("grant", True, agent="bot"),
        limit("no-pay", False, agent="bot", tool="pay"),
        limit("others", False, agent="scout-*"),
        limit("all", False, agent="bot"),
    ]
    assert silenced(limits, "bot") == "all"
    assert silenced(limits[:3], "bot") is None
