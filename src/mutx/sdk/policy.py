"""Follow one policy: its rules as they stand now, kept fresh by the server's event stream, by polling where that fails."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Self

import httpx2

from mutx.contract.policies import Policy, Rule
from mutx.kit.errors import MutxError
from mutx.sdk.client import MutxClient

log = logging.getLogger("mutx.sdk.policy")

DEFAULT_GUARDRAIL_PROFILES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"strict": ("pii_block", "toxicity_check"), "standard": ("pii_block",), "permissive": ()}
)
"""Which guardrails each profile switches on."""


class MutxPolicyClient:
    """Rules of the policy `policy_name`.

    with MutxPolicyClient(url, "spending", api_key=key) as client:
        client.start_watching()
        rules = client.get_current_rules()
    """

    def __init__(
        self,
        api_url: str,
        policy_name: str,
        api_key: str | None = None,
        *,
        on_change: Callable[[Policy], None] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`on_change` is called from the watching thread with each new version."""
        self._client = MutxClient(api_url, api_key=api_key, transport=transport)
        self._name = policy_name
        self._on_change = on_change
        self._current: Policy | None = None
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def get_current_rules(self) -> list[Rule]:
        """The rules as last seen; asks the server the first time. Raises NotFound for an unknown policy."""
        current = self._current or self.refresh()
        return list(current.rules)

    def refresh(self) -> Policy:
        """Ask the server now."""
        policy = self._client.policies.get(self._name)
        before, self._current = self._current, policy
        if self._on_change is not None and (before is None or before.version != policy.version):
            self._on_change(policy)
        return policy

    def start_watching(self, poll_interval: float = 30) -> None:
        """Follow changes from background threads: by the event stream at once, by polling every `poll_interval` seconds."""
        if self._threads:
            return
        self._stopping.clear()
        for work in (self._follow, self._poll):
            thread = threading.Thread(target=work, args=(poll_interval,), name="mutx-policy", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop_watching(self) -> None:
        """End the watch. The stream's thread ends with its next event or within the stream's read timeout."""
        self._stopping.set()
        self._threads.clear()

    def close(self) -> None:
        self.stop_watching()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _poll(self, interval: float) -> None:
        while not self._stopping.wait(interval):
            self._attempt(self.refresh)

    def _follow(self, interval: float) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = min(interval, 5.0)
            self._attempt(self._listen)

    def _listen(self) -> None:
        for change in self._client.policies.stream():
            if self._stopping.is_set():
                return
            if change.name == self._name:
                self.refresh()

    def _attempt(self, work: Callable[[], object]) -> None:
        try:
            work()
        except MutxError as error:
            if not self._stopping.is_set():
                log.warning("watching policy %s: %s; the rules last seen stay in use", self._name, error)
