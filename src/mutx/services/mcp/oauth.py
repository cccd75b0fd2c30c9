"""Signing in to MCP servers behind the proxy, with the SDK's OAuth client; the tokens lie sealed in the home directory.

They are of whoever runs the proxy, for that one server (RFC 8707), and never those that the proxy's own clients show.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from mutx.kit.errors import KeyUnusable, SetupError
from mutx.services.identity.keyfiles import load_or_create, read_private
from mutx.services.identity.sealing import Sealer, new_sealing_key, read_sealing_keys
from mutx.services.signing.files import replace_durably

KEY_FILE = "sealing.key"
CALLBACK_PATH = "/callback"
CLIENT_NAME = "MUTX MCP proxy"


def open_store(home: Path) -> "SealedTokens":
    """The tokens of `home`, sealed under a key that is made on first use. Raises KeyUnusable."""
    folder = home / "mcp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = load_or_create(folder / KEY_FILE, lambda: new_sealing_key().encode())
    return SealedTokens(folder, Sealer(read_sealing_keys(key.decode("ascii", "replace"))))


class SealedTokens:
    """One file for each server; a value moved to another server's file does not open there."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder = folder
        self._sealer = sealer

    def of(self, server: str, url: str) -> "ServerTokens":
        return ServerTokens(self._folder / f"{server}.tokens", self._sealer, context=f"mcp/{server}/{url}")


class ServerTokens:
    """Implements the SDK's `TokenStorage`."""

    def __init__(self, path: Path, sealer: Sealer, *, context: str) -> None:
        self._path = path
        self._sealer = sealer
        self._context = context

    async def get_tokens(self) -> OAuthToken | None:
        found = self._load().get("tokens")
        return None if found is None else OAuthToken.model_validate(found)

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._keep(tokens=tokens.model_dump(mode="json", exclude_none=True))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        found = self._load().get("client")
        return None if found is None else OAuthClientInformationFull.model_validate(found)

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._keep(client=client_info.model_dump(mode="json", exclude_none=True))

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    def _load(self) -> dict[str, Any]:
        """Raises KeyUnusable for what was altered, or sealed for another address."""
        if not self._path.exists():
            return {}
        opened = self._sealer.open(read_private(self._path).decode("ascii", "replace"), context=self._context)
        content: dict[str, Any] = json.loads(opened)
        return content

    def _keep(self, **part: Any) -> None:
        try:
            known = self._load()
        except KeyUnusable:
            known = {}  # signing in anew is how one gets out of that
        sealed = self._sealer.seal(json.dumps(known | part).encode(), context=self._context)
        replace_durably(self._path, sealed.encode())


def client_auth(
    server: str,
    url: str,
    storage: ServerTokens,
    *,
    callback_url: str = f"http://127.0.0.1:0{CALLBACK_PATH}",
    show: Callable[[str], Awaitable[None]] | None = None,
    answered: Callable[[], Awaitable[AuthorizationCodeResult]] | None = None,
) -> OAuthClientProvider:
    """Credentials for one server. Without `show` and `answered` nobody can be asked, and a refused token is an error."""

    async def refuse(_: str) -> None:
        raise SetupError(f"the MCP server {server} wants you to sign in: run `mutx mcp login {server}`")

    async def nobody() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code="")  # `refuse` has ended it before

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(callback_url)], client_name=CLIENT_NAME)
    return OAuthClientProvider(url, metadata, storage, show or refuse, answered or nobody)
