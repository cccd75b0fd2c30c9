"""All that authentication keeps in a process, in one place."""

from collections import deque
from dataclasses import dataclass, field

from mutx.services.identity.passwords import Passwords
from mutx.services.identity.secrets import SecretHasher
from mutx.services.identity.tokens import LoginTokens
from mutx.services.identity.uses import KeyUses
from mutx.services.identity.verified import VerifiedCallers


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRules:
    """What the installation decides. Seconds."""

    refresh_lifetime: float
    """A refresh token that is not used for this long ends its login."""
    login_lifetime: float
    """No login outlives this, however often it is refreshed."""
    verified_email: bool = False
    """Refuse sign-in until the address is verified."""
    local_bootstrap: bool = False
    """Let a loopback peer sign in as the local operator."""
    registration: bool = True
    mail: bool = False
    """There is a mail server, so that people can be sent tokens."""
    origins: tuple[str, ...] = ()
    """Pages that may hold a refresh cookie and that mails may link to, besides the server's own; the first is the default."""
    reset_lifetime: float = 3600
    verification_lifetime: float = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    passwords: Passwords
    tokens: LoginTokens
    secrets: SecretHasher
    callers: VerifiedCallers
    rules: AuthRules
    key_uses: KeyUses = field(default_factory=KeyUses)
    """A job writes these down in batches."""
    failed_logins: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=10_000))
    """User id and when somebody tried their password in vain; a job tells the audit trail."""
