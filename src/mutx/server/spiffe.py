"""SPIFFE identities as the settings have them."""

from collections.abc import Sequence

from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.sources import IdentitySource
from mutx.storage.engine import Database


def spiffe_sources(
    settings: Settings, database: Database, auth: Authentication, clock: Clock
) -> Sequence[IdentitySource]:
    """None where no trust domain is set. Asks nobody yet, so that an agent's outage stops no start."""
    domain, path = settings.spiffe_trust_domain, settings.spiffe_bundle_path
    if not domain:
        return ()
    try:
        from mutx.resources.agents.source import SpiffeSource
        from mutx.services.spiffe_identity.bundles import FileBundles, WorkloadBundles
        from mutx.services.spiffe_identity.svids import SvidVerifier
    except ImportError as error:
        raise SetupError("SPIFFE_TRUST_DOMAIN needs the extra `spiffe`: pip install 'mutx[spiffe]'") from error
    bundles = FileBundles(domain, path) if path else WorkloadBundles(domain, settings.spiffe_endpoint_socket)
    audiences = settings.spiffe_audience or (settings.issuer,)
    svids = SvidVerifier(domain, audiences, bundles, clock)
    return (SpiffeSource(database, auth, svids, settings.spiffe_agent_path),)
