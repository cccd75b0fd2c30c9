"""The directory a control plane keeps to itself: database, keys, socket."""

from pathlib import Path

from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.server.secrets import InstallationKeys, keys_in_files
from mutx.server.settings import Settings
from mutx.server.settings.values import DAY, HOUR, MINUTE
from mutx.services.identity.authentication import Authentication, AuthRules
from mutx.services.identity.passwords import Passwords
from mutx.services.identity.secrets import SecretHasher
from mutx.services.identity.token_keys import TokenKeys
from mutx.services.identity.tokens import LoginTokens
from mutx.services.identity.verified import VerifiedCallers

AUDIENCE = "mutx"


def prepare(home: Path) -> Path:
    """Make the directory, for its owner only. Raises SetupError where that cannot be had."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        (home / "keys").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot use {home}: {error.strerror}; set MUTX_HOME to a directory of yours") from error
    return home


def open_authentication(settings: Settings, clock: Clock, keys: InstallationKeys | None = None) -> Authentication:
    """Authentication with the installation's keys; the home's own, made on the first start, unless given.

    Raises KeyUnusable.
    """
    keys = keys or keys_in_files(settings)
    return Authentication(
        passwords=Passwords(least=settings.password_min_length),
        tokens=LoginTokens(
            TokenKeys(keys.token_keys),
            issuer=settings.token_issuer,
            audience=AUDIENCE,
            lifetime=settings.access_token_expire_minutes * MINUTE,
            clock=clock,
        ),
        secrets=SecretHasher(keys.pepper),
        callers=VerifiedCallers(clock),
        rules=AuthRules(
            refresh_lifetime=settings.refresh_token_expire_days * DAY,
            login_lifetime=settings.refresh_token_max_sliding_days * DAY,
            verified_email=settings.require_email_verification,
            local_bootstrap=settings.bootstraps_locally,
            registration=settings.allow_registration,
            mail=bool(settings.smtp_host),
            origins=settings.own_origins,
            reset_lifetime=settings.password_reset_expire_minutes * MINUTE,
            verification_lifetime=settings.email_verification_expire_hours * HOUR,
        ),
    )
