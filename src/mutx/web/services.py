"""What a running control plane consists of, as the slices see it. `server/wiring.py` fills it; nothing else does."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from mutx.governance.compliance import AARMComplianceChecker
from mutx.governance.keys import KeyRing
from mutx.governance.pipeline import GovernancePipeline
from mutx.governance.ports import Delegations, Policies, Signer
from mutx.kit.clock import Clock
from mutx.services.embedding.distances import SentenceDistances
from mutx.services.evalview.service import EvalView
from mutx.services.evalview.watch import AgentWatch
from mutx.services.faramesh_supervisor.supervisor import FarameshSupervisor
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.sealing import Sealer
from mutx.services.jobs.durable import DurableJobs
from mutx.services.oidc.sign_on import SignOn
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database
from mutx.storage.views import LedgerStore
from mutx.web.revocation import Revocations


@dataclass(frozen=True, kw_only=True)
class Services:
    """One of each. A slice takes from it what it needs, in its `dependencies` or its routes."""

    database: Database
    ledger: LedgerStore
    pipeline: GovernancePipeline
    policies: Policies
    bus: Bus
    clock: Clock
    signer: Signer
    auth: Authentication
    revocations: Revocations
    sealer: Sealer
    """For secrets that must be had back."""
    registry: CollectorRegistry
    keys: KeyRing
    """The public keys that verify this control plane's receipts."""
    jobs: DurableJobs | None = None
    """None where nothing is kept."""
    compliance: AARMComplianceChecker
    delegations: Delegations | None = None
    """What agents have handed one another; None where nothing is kept of it."""
    supervisor: FarameshSupervisor | None = None
    """None where nothing is kept."""
    evalview: EvalView
    watch: AgentWatch = field(default_factory=AgentWatch)
    """How agents behave."""
    embedder: SentenceDistances | None = None
    """What measures actions against requests beside their words."""
    sign_on: SignOn | None = None
    """Single sign-on, where it is set up."""
