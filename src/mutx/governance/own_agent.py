"""A key that belongs to one agent speaks for no other; a local process may name any agent of its workspace."""

from mutx.governance.types import Caller
from mutx.kit.errors import PermissionDenied


def require_own_agent(caller: Caller, agent_id: str | None) -> None:
    """Raises PermissionDenied where an agent's own key names another agent; None names none."""
    if caller.agent_id is not None and agent_id not in (None, caller.agent_id):
        raise PermissionDenied(
            f"this key speaks for the agent {caller.agent_id} only: name that one, in the call or in MUTX_AGENT_ID"
        )
