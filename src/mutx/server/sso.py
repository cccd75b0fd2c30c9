"""Single sign-on as the settings have it."""

from collections.abc import Sequence

from mutx.kit.clock import Clock
from mutx.resources.sso.source import OidcSource
from mutx.server.settings import Settings
from mutx.services.identity.sources import IdentitySource
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.sign_on import SignOn
from mutx.storage.engine import Database
from mutx.web.revocation import Revocations


def open_sign_on(settings: Settings, clock: Clock) -> SignOn | None:
    """None where no issuer is set. Asks the provider nothing yet, so that its outage stops no start."""
    if not settings.oidc_issuer:
        return None
    callback = f"{settings.issuer.rstrip('/')}/v1/auth/sso/{settings.oidc_provider}/callback"
    config = OidcConfig(
        provider=settings.oidc_provider,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=callback,
        jwks_uri=settings.oidc_jwks_uri,
        audiences=settings.oidc_audience,
        scopes=tuple(settings.oidc_scopes.split()),
        role_map={value: role.value for value, role in settings.oidc_role_map.items()},
        trust_email=settings.oidc_trust_email,
        workspace_id=settings.oidc_workspace_id,
    )
    return SignOn(config, clock)


def sso_sources(
    database: Database, revocations: Revocations, sign_on: SignOn | None, clock: Clock
) -> Sequence[IdentitySource]:
    """The provider's access tokens as a way to say who one is."""
    return () if sign_on is None else (OidcSource(database, revocations, sign_on, clock),)
