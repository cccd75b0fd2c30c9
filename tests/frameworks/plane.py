"""A real control plane as the suite uses it: governors in front of it, and the operator behind it by REST."""

import base64
import json
import os
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from mutx_agent import Governor
from mutx_agent.transport.base import Transport

POLICY = """
name: frameworks
default: deny
rules:
  - id: forbidden
    match: {tool: "*put"}
    when: args.text == "forbidden"
    effect: deny
    priority: 1
    reason: the suite forbids it
  - id: masked
    match: {tool: "*put"}
    when: args.text.startsWith("secret-")
    effect: modify
    priority: 2
    modify:
      - {redact: text, pattern: "secret-[a-z0-9]+", replacement: "gone"}
  - id: asked
    match: {tool: "*put"}
    when: args.text == "asked"
    effect: step_up
    priority: 3
    reason: the suite asks a person
  - id: memory-forbidden
    match: {tool: mem0.add}
    when: args.messages == "forbidden"
    effect: deny
    priority: 1
    reason: the suite forbids it
  - id: memory-masked
    match: {tool: mem0.add}
    when: args.messages.startsWith("secret-")
    effect: modify
    priority: 2
    modify:
      - {redact: messages, pattern: "secret-[a-z0-9]+", replacement: "gone"}
  - id: memory-asked
    match: {tool: mem0.add}
    when: args.messages == "asked"
    effect: step_up
    priority: 3
    reason: the suite asks a person
  - id: known
    match: {tool: "*"}
    effect: allow
    priority: 900
"""
DEADLINE = 60.0
"""Seconds until something that must happen counts as not happening; a busy machine is slow."""

Rest = Callable[[str, str, Any], Any]
"""(method, path, body) -> decoded answer, as the operator."""


class Plane:
    """One control plane with the suite's policy."""

    def __init__(self, rest: Rest, transport: Callable[[], Transport], agent_id: str) -> None:
        self._rest, self._transport, self._agent_id = rest, transport, agent_id

    def governor(self) -> Governor:
        return Governor(self._transport(), agent_id=self._agent_id)

    def apply_policy(self) -> None:
        self._rest("PUT", "/v1/policies/frameworks", {"name": "frameworks", "document": POLICY})

    def receipts(self, session_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._rest("GET", f"/v1/security/receipts/session/{session_id}", None)["receipts"]
        return found

    def action(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """The action that a receipt commits to."""
        payload = json.loads(base64.b64decode(receipt["envelope"]["payload"]))
        action: dict[str, Any] = payload["action"]
        return action

    def wait_for_requests(self, session_id: str, count: int) -> list[str]:
        """Ids of the session's open requests, once there are so many."""
        end = time.monotonic() + DEADLINE
        while True:
            listed = self._rest("GET", "/v1/approvals?status=PENDING&limit=100", None)["items"]
            found = [item["id"] for item in listed if item["session_id"] == session_id]
            if len(found) >= count:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"{len(found)} of {count} calls wait for a person")
            time.sleep(0.02)

    def approve(self, request_id: str) -> None:
        self._rest("POST", f"/v1/approvals/{request_id}/approve", {})


def remote_plane() -> Plane:
    """The one that the environment names: the runner of the matrix started it (tools/frameworks.py)."""
    from mutx_agent.transport.http import HttpTransport

    url, key = os.environ["SUITE_URL"], os.environ["SUITE_AGENT_KEY"]
    headers = {"authorization": f"Bearer {os.environ['SUITE_OPERATOR_TOKEN']}", "content-type": "application/json"}

    def rest(method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)

    return Plane(rest, lambda: HttpTransport(url, api_key=key), os.environ["SUITE_AGENT_ID"])
