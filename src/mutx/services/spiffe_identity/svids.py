"""JWT-SVIDs: a workload's name, signed by its trust domain (SPIFFE JWT-SVID §3 to §6)."""

import asyncio
import json
from collections.abc import Sequence

from joserfc.util import urlsafe_b64decode
from msgspec import Struct
from spiffe import JwtSvid, SpiffeId, TrustDomain
from spiffe.errors import PySpiffeError

from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.services.spiffe_identity.bundles import TrustBundles

MAX_SVID = 8192
INVALID = "this JWT-SVID is not valid here or has expired; fetch a new one for this server's audience"


class Workload(Struct, frozen=True):
    """Who a JWT-SVID names, and until when (seconds since the epoch)."""

    spiffe_id: str
    path: str
    expires_at: float


class SvidVerifier:
    """Verifies JWT-SVIDs of one trust domain."""

    def __init__(self, domain: str, audiences: Sequence[str], bundles: TrustBundles, clock: Clock) -> None:
        """`audiences`: a token has to be meant for one of them."""
        self._domain = TrustDomain(domain)
        self._prefix = f"{self._domain.as_spiffe_id()}/"
        self._audiences = tuple(audiences)
        self._bundles = bundles
        self._clock = clock

    def recognises(self, credential: str) -> bool:
        """A compact JWS whose unverified subject lies in the trust domain."""
        parts = credential.split(".")
        if len(parts) != 3 or len(credential) > MAX_SVID or not credential.isascii():
            return False
        try:
            claims = json.loads(urlsafe_b64decode(parts[1].encode()))
        except (ValueError, RecursionError):
            return False
        subject = claims.get("sub") if isinstance(claims, dict) else None
        return isinstance(subject, str) and subject.startswith(self._prefix)

    async def verify(self, credential: str) -> Workload:
        """Raises Unauthenticated, and Unavailable while the trust bundle cannot be had."""
        return await asyncio.to_thread(self._verify, credential)

    def path_of(self, spiffe_id: str) -> str | None:
        """Below our trust domain; None elsewhere."""
        return spiffe_id.removeprefix(self._prefix[:-1]) if spiffe_id.startswith(self._prefix) else None

    def close(self) -> None:
        self._bundles.close()

    def _verify(self, credential: str) -> Workload:
        bundle = self._bundles.current()
        try:
            svid = JwtSvid.parse_and_validate(credential, bundle, set(self._audiences))
        except (PySpiffeError, ValueError, TypeError) as error:
            raise Unauthenticated(INVALID) from error
        name: SpiffeId = svid.spiffe_id
        if name.trust_domain != self._domain or svid.expiry <= self._clock.now():
            raise Unauthenticated(INVALID)
        return Workload(str(name), name.path, float(svid.expiry))
