"""What the proxy needs of the control plane beside decisions: the state of each tool's definition, and a look at results."""

from typing import Protocol

from mutx.contract.guardrails import GuardrailResultQuestion, GuardrailResultVerdict
from mutx.contract.mcp import McpCheck, McpObservation, McpStandings, McpVerdict


class ToolBoard(Protocol):
    """Raises MutxError; then nothing is listed and nothing called."""

    async def observe(self, seen: McpObservation) -> McpStandings: ...

    async def check(self, wanted: McpCheck) -> McpVerdict: ...

    async def look_at(self, given: GuardrailResultQuestion) -> GuardrailResultVerdict: ...


class Approver(Protocol):
    """Says yes to a request as the person who runs the proxy; only where they have asked for it."""

    async def approve(self, request_id: str) -> None:
        """Raises MutxError."""
