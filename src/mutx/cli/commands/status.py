"""`mutx status`: where you are, who you are there, and how it is."""

from typing import Any

import click

from mutx.cli.output import print_fields
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.approvals import ApprovalState


@click.command()
@shared_options
@pass_state
def status(state: CliState) -> None:
    """Show the control plane, its health, who you are there and what waits."""
    client = state.client
    health, me = client.health.get(), client.auth.me()
    found: dict[str, Any] = {
        "url": client.base_url,
        "status": health.status,
        "version": health.version,
        "uptime_seconds": round(health.uptime_seconds),
        "database": health.database,
        "user": me.name,
        "workspace": me.workspace_id,
        "roles": [role.value for role in me.roles],
        "agents": client.agents.list(limit=1).total,
        "policies": len(client.policies.list(limit=200)),
        "pending_approvals": client.approvals.list(ApprovalState.PENDING, limit=1).total,
    }
    if state.as_json:
        state.emit_json(found)
    else:
        print_fields(found)
