"""Retention classes (product security document, Audit Logging): which events, and how long their content is kept."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

DAY = 86_400


class RetentionClass(StrEnum):
    """Stands in each entry's link."""

    LOGIN = "login"
    KEY_ACCESS = "key_access"
    AGENT_CREATION = "agent_creation"
    AGENT_EXECUTION = "agent_execution"
    CONFIGURATION = "configuration"
    NETWORK = "network"
    AUDIT = "audit"
    """What was done to the log itself: kept as long as whatever is kept longest."""


class RetentionRules(Struct, frozen=True, kw_only=True):
    """Days; 0 keeps for ever."""

    login: int = 365
    key_access: int = 365
    agent_creation: int = 90
    agent_execution: int = 90
    configuration: int = 7 * 365
    network: int = 30

    def days(self, which: RetentionClass) -> int:
        if which is RetentionClass.AUDIT:
            every = [self.days(each) for each in RetentionClass if each is not which]
            return 0 if 0 in every else max(every)
        found: int = getattr(self, which.value)
        return found


_EXACT: Mapping[str, RetentionClass] = {
    "API_KEY_USED": RetentionClass.KEY_ACCESS,
    "AGENT_CREATED": RetentionClass.AGENT_CREATION,
    "AGENT_DELETED": RetentionClass.AGENT_CREATION,
    "AGENT_START": RetentionClass.AGENT_EXECUTION,
    "AGENT_END": RetentionClass.AGENT_EXECUTION,
    "LLM_CALL": RetentionClass.AGENT_EXECUTION,
    "TOOL_CALL": RetentionClass.AGENT_EXECUTION,
    "POLICY_CHECK": RetentionClass.AGENT_EXECUTION,
    "GUARDRAIL_TRIGGER": RetentionClass.AGENT_EXECUTION,
    "APPROVAL": RetentionClass.AGENT_EXECUTION,
}
_PREFIXES: Mapping[str, RetentionClass] = {
    "LOGIN": RetentionClass.LOGIN,
    "LOGOUT": RetentionClass.LOGIN,
    "PASSWORD": RetentionClass.LOGIN,
    "EMAIL": RetentionClass.LOGIN,
    "SSO": RetentionClass.LOGIN,
    "RUN": RetentionClass.AGENT_EXECUTION,
    "NETWORK": RetentionClass.NETWORK,
    "AUDIT": RetentionClass.AUDIT,
}


def retention_class(event_type: str) -> RetentionClass:
    """What is not known is kept as long as a change of configuration: too long rather than too short."""
    known = _EXACT.get(event_type) or _PREFIXES.get(event_type.partition("_")[0])
    return known or RetentionClass.CONFIGURATION
