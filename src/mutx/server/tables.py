"""Every table of the product, known to migrations because its module is imported here."""

from mutx.resources.agents import models as agents
from mutx.resources.api_keys import models as api_keys
from mutx.resources.audit import models as audit
from mutx.resources.auth import models as auth
from mutx.resources.delegations import models as delegations
from mutx.resources.guardrails import models as guardrails
from mutx.resources.mcp import models as mcp
from mutx.resources.permissions import models as permissions
from mutx.resources.policies import models as policies
from mutx.resources.sso import models as sso
from mutx.resources.supervision import models as supervision
from mutx.resources.workspaces import models as workspaces
from mutx.storage import installation, revocations
from mutx.storage import ledger_tables as ledger
from mutx.storage import schema_tables as schema
from mutx.storage.tables import Row

MODULES = (
    workspaces,
    auth,
    sso,
    api_keys,
    permissions,
    agents,
    supervision,
    policies,
    mcp,
    delegations,
    audit,
    guardrails,
    ledger,
    schema,
    revocations,
    installation,
)
METADATA = Row.metadata

SEALED = (
    (METADATA.tables["installation_secrets"], "sealed"),
    (METADATA.tables["audit_events"], "sealed"),
    (METADATA.tables["supervised_agents"], "env"),
)
"""Columns of sealed values, of tables whose key is a text `id`: `mutx secrets reseal` puts them under the newest key. A
value's context is `sealing.place(table, column, id)`."""
