"""The slices' routers, in the order of `contract.registry`: a slice is served once it stands here."""

from fastapi import APIRouter

from mutx.resources.agents.routes import router as agents
from mutx.resources.api_keys.routes import router as api_keys
from mutx.resources.approvals.routes import router as approvals
from mutx.resources.audit.routes import router as audit
from mutx.resources.auth.routes import router as auth
from mutx.resources.delegations.routes import router as delegations
from mutx.resources.health.routes import router as health
from mutx.resources.jobs.routes import router as jobs
from mutx.resources.mcp.routes import router as mcp
from mutx.resources.permissions.routes import router as permissions
from mutx.resources.policies.routes import router as policies
from mutx.resources.security.routes import router as security
from mutx.resources.sso.routes import router as sso
from mutx.resources.workspaces.routes import router as workspaces
from mutx.server.doors.routes import router as governance

ROUTERS: tuple[APIRouter, ...] = (
    auth,
    sso,
    workspaces,
    api_keys,
    permissions,
    agents,
    governance,
    policies,
    mcp,
    delegations,
    approvals,
    security,
    audit,
    jobs,
    health,
)
