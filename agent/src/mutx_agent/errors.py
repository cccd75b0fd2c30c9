"""What a governed call can raise. Everything that keeps a tool from running is an `ActionDenied`.

ActionDenied              the tool did not run, and `reason` says why
  ApprovalTimeout           nobody answered in time
  ControlPlaneUnreachable   no decision could be had; no decision means no
OutcomeNotRecorded        the tool DID run; the control plane does not know how it ended
DoorError                 below the governor: one call to the control plane failed
  DoorUnreachable           no answer
  DoorRefused               an answer that says no, with a stable code
"""

from collections.abc import Mapping
from typing import Any


class ActionDenied(Exception):
    """The tool was not run. `str(error)` is fit for a model to read."""

    def __init__(
        self,
        reason: str,
        *,
        reason_code: str = "denied",
        tool_name: str = "",
        action_id: str | None = None,
        receipt_id: str | None = None,
    ) -> None:
        super().__init__(f"{tool_name or 'the action'} was not run: {reason} ({reason_code})")
        self.reason = reason
        self.reason_code = reason_code
        self.tool_name = tool_name
        self.action_id = action_id
        self.receipt_id = receipt_id


class ApprovalTimeout(ActionDenied):
    """A person was asked and nobody answered before the deadline. A later approval runs nothing."""


class ControlPlaneUnreachable(ActionDenied):
    """The control plane gave no decision, so the answer is no."""


class OutcomeNotRecorded(UserWarning):
    """The tool ran, and its outcome could not be reported: the action shows as `outcome unknown`.

    A warning by default, because an exception here would invite a caller to run the effect a second time;
    `configure(on_unrecorded="raise")` makes it one.
    """

    def __init__(self, action_id: str, why: str) -> None:
        super().__init__(f"the outcome of action {action_id} was not recorded: {why}")
        self.action_id = action_id


class DoorError(Exception):
    """One call to the control plane failed."""


class DoorUnreachable(DoorError):
    """No answer came. `sent` is False when the request certainly never arrived."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class DoorRefused(DoorError):
    """The control plane answered with an error: its stable code, and what to do."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = dict(details or {})

    @property
    def temporary(self) -> bool:
        """Nothing was decided, and asking again with the same action id may help."""
        return self.code in {"unavailable", "ledger_unavailable", "storage_full", "rate_limited"}
