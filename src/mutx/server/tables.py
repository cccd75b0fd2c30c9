"""Every table of the product, known to migrations because its module is imported here."""

from mutx.resources.agents import models as agents
from mutx.resources.api_keys import models as api_keys
from mutx.resources.audit import models as audit
from mutx.resources.auth import models as auth
from mutx.resources.policies import models as policies
from mutx.resources.workspaces import models as workspaces
from mutx.storage import ledger_tables as ledger
from mutx.storage import revocations
from mutx.storage.tables import Row

MODULES = (workspaces, auth, api_keys, agents, policies, audit, ledger, revocations)
METADATA = Row.metadata
