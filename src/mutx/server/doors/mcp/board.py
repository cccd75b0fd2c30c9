"""The proxy's word with the control plane, through the SDK."""

from mutx.contract.approvals import ApprovalResolve
from mutx.contract.guardrails import GuardrailResultQuestion, GuardrailResultVerdict
from mutx.contract.mcp import McpCheck, McpObservation, McpStandings, McpVerdict
from mutx.sdk.client import MutxAsyncClient

BY_ELICITATION = "answered in the MCP client, by whoever runs the proxy"


class SdkBoard:
    """Implements `ToolBoard`."""

    def __init__(self, client: MutxAsyncClient) -> None:
        self._client = client

    async def observe(self, seen: McpObservation) -> McpStandings:
        return await self._client.mcp.observe(seen)

    async def check(self, wanted: McpCheck) -> McpVerdict:
        return await self._client.mcp.check(wanted)

    async def look_at(self, given: GuardrailResultQuestion) -> GuardrailResultVerdict:
        return await self._client.guardrails.check_result(given)


class SdkApprover:
    """Implements `Approver`."""

    def __init__(self, client: MutxAsyncClient) -> None:
        self._client = client

    async def approve(self, request_id: str) -> None:
        await self._client.approvals.approve(request_id, ApprovalResolve(comment=BY_ELICITATION))
