"""Follows another control plane's policies: pulls them signed, checks them, puts them in force, keeps the last good ones.

A change there is in force here as soon as the pull that waits for it is answered. What does not verify is refused and told
of; decisions go on under the last bundle that did, also over restarts and while the source cannot be reached.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Counter, Gauge

from mutx.contract.policies import SignedPolicies
from mutx.governance.keys import KeyRing, read_keys
from mutx.governance.policy_bundle import HeldBundle, PolicyBundle, open_bundle, succeeds
from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock
from mutx.kit.errors import KeyUnusable, MutxError, SetupError, VerificationFailed
from mutx.resources.policies.engines import PolicyEngines
from mutx.resources.policies.mirror import PolicyMirror
from mutx.sdk.client import MutxAsyncClient
from mutx.server.settings import Settings
from mutx.services.signing.files import replace_durably
from mutx.storage.engine import Database

log = structlog.stdlib.get_logger("mutx.remote_policies")

WAIT_SECONDS = 20.0
RETRY_SECONDS = 0.5
"""After a failure; below a second, so that a source that is back is heard within one."""
FIRST_SECONDS = 10.0

KEPT = "policies.dsse.json"
"""In the home directory."""

Take = Callable[[PolicyBundle], Awaitable[None]]


class RemotePolicies:
    """One source, followed by one control plane."""

    def __init__(
        self, client: MutxAsyncClient, trusted: KeyRing, kept: Path, take: Take, registry: CollectorRegistry
    ) -> None:
        """`kept`: the file of the last good bundle. `take`: puts one in force."""
        self._client = client
        self._trusted = trusted
        self._kept = kept
        self._take = take
        self._held: HeldBundle | None = None
        self._stopping = asyncio.Event()
        self._up = Gauge("mutx_policy_source_up", "1 while the source of policies answers", registry=registry)
        self._revision = Gauge("mutx_policy_source_revision", "Revision of the policies in force", registry=registry)
        self._bundles = Counter("mutx_policy_bundles_total", "Policy bundles pulled", ["outcome"], registry=registry)

    async def begin(self) -> None:
        """Put the kept bundle in force, or the first one. Raises SetupError where there is neither."""
        try:
            envelope = await asyncio.to_thread(self._kept.read_bytes)
        except FileNotFoundError:
            await self._first()
            return
        except OSError as error:
            raise SetupError(f"the kept policies {self._kept} cannot be read: {error.strerror}") from error
        try:
            bundle = open_bundle(envelope, self._trusted)
        except VerificationFailed as error:
            raise SetupError(
                f"the kept policies {self._kept} are not as they were signed ({error}); remove the file to pull them anew"
            ) from error
        await self._take(bundle)
        self._hold(bundle)

    async def run(self) -> None:
        """Follow until stopped."""
        stopping = asyncio.create_task(self._stopping.wait())
        while not self._stopping.is_set():
            pulling = asyncio.create_task(self._pull(WAIT_SECONDS))
            await asyncio.wait((pulling, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not pulling.done():
                pulling.cancel()
                await asyncio.wait((pulling,))
            elif not await self._went_well(pulling):
                await asyncio.wait((stopping,), timeout=RETRY_SECONDS)
        await stopping

    def stop(self) -> None:
        self._stopping.set()

    async def close(self) -> None:
        await self._client.close()

    async def _first(self) -> None:
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self._pull(0.0)
        except (MutxError, TimeoutError) as error:
            raise SetupError(
                f"no policies yet: {self._client.base_url} did not give any that can be used: {error}"
            ) from error

    async def _went_well(self, pulling: "asyncio.Task[None]") -> bool:
        try:
            await pulling
        except MutxError as error:
            log.warning("policies stay as they are", source=self._client.base_url, reason=str(error), code=error.code)
            return False
        return True

    async def _pull(self, wait: float) -> None:
        """Ask for a newer bundle and put it in force. Raises MutxError, and then nothing changed."""
        try:
            answer = await self._client.policies.bundle(known=self._held.revision if self._held else -1, wait=wait)
        except MutxError:
            self._up.set(0)
            self._bundles.labels("unreachable").inc()
            raise
        self._up.set(1)
        if answer.envelope is None:
            self._refuse_older(answer)
            return
        try:
            await self._accept(answer.envelope.encode())
        except MutxError:
            self._bundles.labels("refused").inc()
            raise

    async def _accept(self, envelope: bytes) -> None:
        bundle = open_bundle(envelope, self._trusted)
        if succeeds(bundle, self._held):
            await self._take(bundle)
            await asyncio.to_thread(replace_durably, self._kept, envelope)
            self._hold(bundle)
            self._bundles.labels("taken").inc()
            log.info("policies taken", revision=bundle.revision, policy_version=bundle.policy_version)

    def _refuse_older(self, answer: SignedPolicies) -> None:
        """A source that went back in time is not followed, and somebody should know."""
        if self._held is not None and answer.revision < self._held.revision:
            raise VerificationFailed(
                f"the source is at revision {answer.revision}, older than the one held ({self._held.revision})"
            )

    def _hold(self, bundle: PolicyBundle) -> None:
        self._held = HeldBundle(bundle.workspace, bundle.revision, bundle.policy_version)
        self._revision.set(bundle.revision)


def trusted_keys(given: str) -> KeyRing:
    """The keys in a file, or the key itself. Raises SetupError."""
    try:
        path = Path(given)
        text = path.read_text() if len(given) < 1024 and path.is_file() else given
        return KeyRing(read_keys(text))
    except (KeyUnusable, OSError, UnicodeDecodeError) as error:
        raise SetupError(f"POLICY_SOURCE_TRUST is no public key: {error}") from error


async def follow_policies(
    settings: Settings,
    database: Database,
    engines: PolicyEngines,
    operator: Caller,
    clock: Clock,
    registry: CollectorRegistry,
) -> RemotePolicies | None:
    """The follower that settings ask for, with policies in force in the operator's workspace. Raises SetupError."""
    if not settings.policy_source_url:
        return None
    source = settings.policy_source_url
    by = replace(operator, kind=PrincipalKind.SYSTEM, email=f"policies of {source}")
    mirror = PolicyMirror(database, engines, clock, by, source)
    client = MutxAsyncClient(source, api_key=settings.policy_source_api_key.get_secret_value() or None)
    remote = RemotePolicies(
        client, trusted_keys(settings.policy_source_trust), settings.home / KEPT, mirror.take, registry
    )
    try:
        await remote.begin()
    except MutxError:
        await remote.close()
        raise
    return remote
