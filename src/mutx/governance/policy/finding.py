"""One remark of lint."""

from enum import StrEnum

from msgspec import Struct


class LintSeverity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True):
    severity: LintSeverity
    code: str
    policy: str
    line: int
    rule: str
    """Id of the rule; empty for a remark about a whole document or a tool."""
    message: str
