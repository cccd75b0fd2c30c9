"""A whole control plane in this process, for requests that nobody would send on purpose."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import uvloop

from mutx.server.wiring import ControlPlane, build
from mutx.services.jobs.model import NewJob
from tests.faults.world import AGENT, POLICY, client, settings
from tests.witness import Witness

T = TypeVar("T")
RANDOM_ELSEWHERE = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
"""The engine of durable jobs draws its pauses at random, on threads of its own; no strategy of these tests does."""

EVENT = {"event_type": "AGENT_START", "agent_id": AGENT}


class Target:
    """The plane on an event loop that runs while a request does; the caller is the local operator."""

    def __init__(self, home: Path, witness: Witness | None = None) -> None:
        """`witness`: of what is said meanwhile."""
        self.witness = witness or Witness()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.plane: ControlPlane = self._runner.run(_started(home))
        self._client = client(self.plane)
        self._stranger = client(self.plane)
        self.sign_in()
        self.known = self._things()

    def sign_in(self) -> None:
        """As the local operator; some requests end the session they are sent in."""
        self._client.headers["authorization"] = f"Bearer {self._runner.run(self.plane.local_token())}"

    def send(self, method: str, url: str, **how: Any) -> httpx2.Response:
        return self.run(self._client.request(method, url, **how))

    def send_as_stranger(self, method: str, url: str, **how: Any) -> httpx2.Response:
        return self.run(self._stranger.request(method, url, **how))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @property
    def socket(self) -> Path:
        return self.plane.settings.socket

    def _made(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.send("POST", path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def _things(self) -> Mapping[str, str]:
        """Path parameter -> the name of something that exists, so that requests get behind the first 404."""
        self._made("/v1/policies", {"name": "house", "document": POLICY})
        agent = self._made("/v1/agents", {"name": AGENT})
        key = self._made("/v1/api-keys", {"name": "ci"})
        call = {"agent_id": AGENT, "session_id": "s", "tool_args": {"to": "x"}}
        waiting = self._made("/v1/governance/decide", {"tool_name": "pay", **call})
        allowed = self._made("/v1/governance/decide", {"tool_name": "read", **call})
        self._made("/v1/governance/conclude", {"action_id": allowed["action_id"], "status": "executed"})
        granting = self._made("/v1/governance/decide", {"tool_name": "pay", **call, "session_id": "other"})
        answered = {"request_id": granting["approval"]["request_id"], "verdict": "approve", "grant": {}}
        self._made("/v1/governance/resolve", answered)
        grants = self.send("GET", "/v1/approvals/grants").json()
        me = self.send("GET", "/v1/auth/me").json()
        invitation = self._made(
            f"/v1/workspaces/{me['workspace_id']}/invitations", {"email": "o@example.org", "role": "VIEWER"}
        )
        narrowed = {"principal_type": "role", "principal": "VIEWER", "effect": "deny", "verb": "act", "agent": "none"}
        permission = self._made("/v1/permissions", narrowed)
        event = self._made("/v1/audit/events", EVENT)
        seen = {"server": "shop", "tools": [{"name": "look", "description": "Looks something up."}]}
        tool = self._made("/v1/mcp/tools/observe", seen)["tools"][0]
        part = {"delegator": agent["id"], "delegate": "sub", "tools": [{"tool": "read"}], "seconds": 3600}
        handed = self._made("/v1/delegations", part)
        job = NewJob(id="mail.1", kind="mail", workspace_id=me["workspace_id"], payload={})
        assert self.plane.services.jobs is not None
        self.run(self.plane.services.jobs.enqueue(job))
        return {
            "agent_id": agent["id"],
            "key_id": key["id"],
            "request_id": waiting["approval"]["request_id"],
            "token": waiting["approval"]["token"],
            "action_id": allowed["action_id"],
            "receipt_id": allowed["receipt_id"],
            "policy_version": allowed["policy_version"],
            "grant_id": grants[0]["id"],
            "trace_id": "s",
            "session_id": "s",
            "name": "house",
            "workspace_id": me["workspace_id"],
            "user_id": me["id"],
            "invitation_id": invitation["id"],
            "permission_id": permission["id"],
            "event_id": event["event_id"],
            "job_id": job.id,
            "tool_id": tool["tool_id"],
            "delegation_id": handed["id"],
            "provider": "oidc",
        }

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self._stranger.aclose())
        self._runner.run(self.plane.stop())
        self._runner.close()


async def _started(home: Path) -> ControlPlane:
    plane = await build(settings(home))
    await plane.start(socket=True)
    return plane
