"""The resource families, in the order the documentation lists them. A new contract file is served once it stands here."""

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from mutx.contract import (
    agents,
    api_keys,
    approvals,
    audit,
    auth,
    delegations,
    governance,
    health,
    jobs,
    mcp,
    permissions,
    policies,
    security,
    sso,
    workspaces,
)

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "auth": auth,
        "sso": sso,
        "workspaces": workspaces,
        "api_keys": api_keys,
        "permissions": permissions,
        "agents": agents,
        "governance": governance,
        "policies": policies,
        "mcp": mcp,
        "delegations": delegations,
        "approvals": approvals,
        "security": security,
        "audit": audit,
        "jobs": jobs,
        "health": health,
    }
)
