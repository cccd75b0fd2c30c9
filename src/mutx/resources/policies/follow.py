"""Policy changes as server-sent events."""

from collections.abc import AsyncIterator, Iterator, Mapping

from fastapi.sse import ServerSentEvent

from mutx.contract.policies import PolicyUpdated
from mutx.resources.policies.service import PolicyStore
from mutx.storage.coordination import Bus

EVENT = "policy_updated"
HEARTBEAT_SECONDS = 5.0


async def policy_changes(bus: Bus, store: PolicyStore) -> AsyncIterator[ServerSentEvent]:
    """What is in force, then each change. The bus only wakes; what changed is read from the store."""
    told: dict[str, int] = {}
    async with bus.subscribe(f"policies:{store.workspace_id}") as news:
        while True:
            engine, present = await store.engine(), {p.name: p.version for p in await store.enabled()}
            for change in _changes(told, present, engine.version):
                yield ServerSentEvent(event=EVENT, data=change)
            told = present
            while await news.get(HEARTBEAT_SECONDS) is None:
                yield ServerSentEvent(comment="heartbeat")


def _changes(told: Mapping[str, int], present: Mapping[str, int], policy_version: str) -> Iterator[PolicyUpdated]:
    for name, version in present.items():
        if told.get(name) != version:
            yield PolicyUpdated(name=name, version=version, in_force=True, policy_version=policy_version)
    for name in told.keys() - present.keys():
        yield PolicyUpdated(name=name, version=told[name], in_force=False, policy_version=policy_version)
