"""The policies in force as signed documents, for whoever decides elsewhere."""

import asyncio

from mutx.contract.policies import SignedPolicies
from mutx.governance.policy_bundle import BundledPolicy, PolicyBundle, seal_bundle
from mutx.governance.ports import Signer
from mutx.kit.canonical import digest
from mutx.kit.clock import Clock, rfc3339
from mutx.resources.policies.engines import enabled_policies, revision_of
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database

RECHECK_SECONDS = 0.5
"""A change on another replica is seen so soon, also without a wake-up."""


class Bundles:
    def __init__(self, database: Database, bus: Bus, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._signer = signer
        self._clock = clock

    async def newer(self, workspace_id: str, known: int, wait: float) -> SignedPolicies:
        """The present bundle; without its envelope if nothing newer than `known` came within `wait` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        async with self._bus.subscribe(f"policies:{workspace_id}") as news:
            while (revision := await self._revision(workspace_id)) <= known and (left := deadline - loop.time()) > 0:
                await news.get(min(left, RECHECK_SECONDS))
        bundle = await self._bundle(workspace_id)
        sealed = await asyncio.to_thread(seal_bundle, bundle, self._signer) if revision > known else None
        return SignedPolicies(
            revision=bundle.revision,
            policy_version=bundle.policy_version,
            envelope=sealed.decode() if sealed is not None else None,
        )

    async def _revision(self, workspace_id: str) -> int:
        async with self._database.read() as session:
            return await revision_of(session, workspace_id)

    async def _bundle(self, workspace_id: str) -> PolicyBundle:
        async with self._database.read() as session:
            revision = await revision_of(session, workspace_id)
            enabled = await enabled_policies(session, workspace_id)
        policies = tuple(
            BundledPolicy(name=p.name, version=p.version, kind=p.kind.value, document=p.document, digest=p.digest)
            for p in sorted(enabled, key=lambda p: p.name)
        )
        return PolicyBundle(
            v=1,
            workspace=workspace_id,
            revision=revision,
            policy_version=digest([[p.name, p.digest] for p in policies]),
            at=rfc3339(self._clock.now()),
            policies=policies,
        )
