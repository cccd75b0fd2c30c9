"""The authorization code flow with PKCE, state and nonce; Authlib makes and reads the messages."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from msgspec import Struct

from mutx.kit.errors import PermissionDenied, Unauthenticated, Unavailable
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.discovery import Metadata, Provider
from mutx.services.oidc.fetch import Bounded, Fetcher
from mutx.services.oidc.roles import has_role_claim
from mutx.services.oidc.verify import OidcTokens


class Attempt(Struct, frozen=True):
    """One sign-in under way. `binding` stays in the browser that began it; what else is secret derives from it."""

    state: str
    binding: str
    redirect_uri: str = ""
    """Where the provider sends the browser back to; empty: our own callback."""

    @property
    def nonce(self) -> str:
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """RFC 7636 §4.1: 64 of the unreserved characters."""
        return self._derived(b"verifier")

    def _derived(self, purpose: bytes) -> str:
        return hmac.new(self.binding.encode(), purpose + b":" + self.state.encode(), hashlib.sha256).hexdigest()


class SignInFlow:
    """To the provider and back."""

    def __init__(self, config: OidcConfig, provider: Provider, tokens: OidcTokens, fetcher: Fetcher) -> None:
        self._config = config
        self._provider = provider
        self._tokens = tokens
        self._fetcher = fetcher

    async def authorization_url(self, attempt: Attempt) -> str:
        """Where the browser goes. Raises Unavailable."""
        metadata = await self._provider.metadata()
        async with self._client(metadata, attempt) as client:
            url, _ = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(url)

    async def claims(self, attempt: Attempt, code: str) -> Mapping[str, Any]:
        """Who came back: the ID token's claims, completed from userinfo. Raises Unauthenticated, Unavailable."""
        answer = await self._exchange(attempt, code)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise Unavailable("the identity provider sent no ID token; let the client ask for the scope openid")
        claims = await self._tokens.id_token(id_token, attempt.nonce)
        return await self.completed(claims, access_token) if isinstance(access_token, str) else claims

    async def completed(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """Claims that lack an address or roles, with what userinfo says of the same subject (Core §5.3.2)."""
        if "email" in claims and has_role_claim(claims):
            return claims
        endpoint = (await self._provider.metadata()).userinfo_endpoint
        if endpoint is None:
            return claims
        try:
            said = await self._fetcher.get(endpoint, token=access_token)
        except PermissionDenied:
            return claims  # a token for an API of its own is none for userinfo
        if said.get("sub") != claims["sub"]:
            raise Unauthenticated("the identity provider's userinfo is about somebody else; sign in again")
        return {**said, **claims}

    async def _exchange(self, attempt: Attempt, code: str) -> Mapping[str, Any]:
        metadata = await self._provider.metadata()
        try:
            async with self._client(metadata, attempt) as client:
                answer = await client.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=attempt.verifier,
                )
        except OAuthError as error:
            raise Unauthenticated("the identity provider refused this sign-in; start again") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise Unavailable("the identity provider failed; see its log, then sign in again") from error
        return dict(answer)

    def _client(self, metadata: Metadata, attempt: Attempt) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._config.client_id,
            client_secret=self._config.client_secret or None,
            token_endpoint_auth_method=self._auth_method(metadata),
            scope=" ".join(self._config.scopes),
            redirect_uri=attempt.redirect_uri or self._config.redirect_uri,
            code_challenge_method="S256",
            transport=Bounded(),
            follow_redirects=False,
        )

    def _auth_method(self, metadata: Metadata) -> str:
        if not self._config.client_secret:
            return "none"
        basic = "client_secret_basic" in metadata.auth_methods or not metadata.auth_methods
        return "client_secret_basic" if basic else "client_secret_post"
