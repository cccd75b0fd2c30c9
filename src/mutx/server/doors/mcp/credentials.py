"""Whose token an MCP client shows, and whether it was issued for this door (MCP authorization, RFC 8707, RFC 9728)."""

import base64
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from mcp.server.auth.provider import AccessToken
from starlette.authentication import AuthenticationError

from mutx.contract.mcp import McpCaller
from mutx.kit.errors import AuthError, MutxError
from mutx.sdk.client import MutxAsyncClient

KNOWN_SECONDS = 10.0
"""For this long a credential is taken for what the control plane said of it; each decision asks anew."""
MAX_KNOWN = 10_000
MAX_TOKEN = 16_384
OWN = frozenset({"jwt", "api_key", "agent_key"})
"""Credentials that this control plane issued itself: they are for its doors, of which the proxy is one."""


class ControlPlaneVerifier:
    """Asks the control plane. Implements the SDK's `TokenVerifier`."""

    def __init__(self, client_of: Callable[[str], MutxAsyncClient], resource: str) -> None:
        """`client_of`: a client with this token. `resource`: this door's own address."""
        self._client_of = client_of
        self._resource = resource
        self._known: OrderedDict[bytes, tuple[float, AccessToken | None]] = OrderedDict()

    async def verify_token(self, token: str) -> AccessToken | None:
        """None for a token that is not good here. Raises AuthenticationError while the control plane is away."""
        if len(token) > MAX_TOKEN or not token.isascii():
            return None
        key, now = hashlib.sha256(token.encode()).digest(), time.monotonic()
        kept = self._known.get(key)
        if kept is not None and now - kept[0] < KNOWN_SECONDS:
            return kept[1]
        found = await self._asked(token)
        self._known[key] = now, found
        self._known.move_to_end(key)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found

    async def _asked(self, token: str) -> AccessToken | None:
        try:
            async with self._client_of(token) as client:
                caller = await client.mcp.caller()
        except AuthError:
            return None
        except MutxError as error:
            raise AuthenticationError("the control plane cannot be asked now") from error
        if caller.method not in OWN and not _is_for(token, self._resource):
            return None
        return _accepted(token, caller, self._resource)


def _accepted(token: str, caller: McpCaller, resource: str) -> AccessToken:
    return AccessToken(
        token=token,
        client_id=caller.principal_id,
        subject=caller.user_id,
        scopes=caller.scopes,
        resource=resource,
        claims={"agent_id": caller.agent_id, "iss": caller.workspace_id},
    )


def _is_for(token: str, resource: str) -> bool:
    """Whether this door is among a JWT's audiences. Its signature was checked before."""
    wanted = resource.rstrip("/")
    audiences = _claims(token).get("aud")
    listed = audiences if isinstance(audiences, list) else [audiences]
    return any(isinstance(one, str) and one.rstrip("/") == wanted for one in listed)


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
