"""Credentials on requests: a key, or tokens that renew themselves."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import httpx2
from pydantic import ValidationError

from mutx.contract import auth as contract
from mutx.sdk.credentials import TokenPair, TokenStore, renewing


class KeyAuth(httpx2.Auth):
    """An API key."""

    def __init__(self, api_key: str) -> None:
        self._header = f"Bearer {api_key}"

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["authorization"] = self._header
        yield request


class TokenAuth(httpx2.Auth):
    """Access tokens from a store, renewed when the server says they have expired."""

    def __init__(self, store: TokenStore, base_url: httpx2.URL) -> None:
        self._store = store
        self._renewal_url = base_url.copy_with(raw_path=base_url.raw_path.rstrip(b"/") + contract.refresh.url.encode())

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        used = self._sign(request)
        response = yield request
        if used is None or response.status_code != 401:
            return
        with renewing(self._store):
            if self._store.load() == used:
                renewal = yield self._renewal(used)
                renewal.read()
                self._keep(renewal)
        self._sign(request)
        yield request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        used = self._sign(request)
        response = yield request
        if used is None or response.status_code != 401:
            return
        held = await asyncio.to_thread(self._store.acquire)
        try:
            if self._store.load() == used:
                renewal = yield self._renewal(used)
                await renewal.aread()
                self._keep(renewal)
        finally:
            self._store.release(held)
        self._sign(request)
        yield request

    def _sign(self, request: httpx2.Request) -> TokenPair | None:
        tokens = self._store.load()
        if tokens is not None:
            request.headers["authorization"] = f"Bearer {tokens.access_token}"
        return tokens

    def _keep(self, renewal: httpx2.Response) -> None:
        """Store a new pair. A refused renewal changes nothing: the request is refused once more, and that the caller sees.

        The renewal's own answer would be taken for the request's.
        """
        if not renewal.is_success:
            return
        try:
            tokens = contract.Tokens.model_validate_json(renewal.content)
        except ValidationError:
            return
        self._store.save(TokenPair(tokens.access_token, tokens.refresh_token))

    def _renewal(self, tokens: TokenPair) -> httpx2.Request:
        return httpx2.Request("POST", self._renewal_url, json={"refresh_token": tokens.refresh_token})
