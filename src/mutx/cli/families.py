"""Command groups that are nothing but their resource family."""

from mutx.cli.build import FamilyGroup
from mutx.sdk import groups

agents = FamilyGroup("agents", groups.AgentsApi, "Manage agents.")
auth = FamilyGroup("auth", groups.AuthApi, "Accounts and tokens.")
sso = FamilyGroup("sso", groups.SsoApi, "Single sign-on.")
workspaces = FamilyGroup("workspaces", groups.WorkspacesApi, "Workspaces and their members.")
api_keys = FamilyGroup("api-keys", groups.ApiKeysApi, "Create, rotate and revoke keys.")
permissions = FamilyGroup("permissions", groups.PermissionsApi, "Narrow what members, keys and roles may do.")
delegations = FamilyGroup("delegations", groups.DelegationsApi, "What agents hand one another, and its end.")
governance = FamilyGroup("governance", groups.GovernanceApi, "The governed verbs themselves.")
security = FamilyGroup("security", groups.SecurityApi, "Sessions, receipts, compliance and metrics.")
jobs = FamilyGroup("jobs", groups.JobsApi, "Deliveries and other work done later; retry what was given up.")
health = FamilyGroup("health", groups.HealthApi, "How the server is.")
