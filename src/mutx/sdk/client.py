"""`MutxClient` and `MutxAsyncClient`: the whole API, typed, over HTTP or over the control plane in this process."""

import os
from typing import Self

import httpx2

from mutx.contract.auth import LocalBootstrap
from mutx.sdk.auth import KeyAuth, TokenAuth
from mutx.sdk.bridge import EmbeddedBridge
from mutx.sdk.credentials import FileTokens, MemoryTokens, TokenPair, TokenStore, read_private
from mutx.sdk.groups import Api
from mutx.sdk.transport import AsyncTransport, SyncTransport
from mutx_agent.settings import mutx_home

DEFAULT_URL = "http://127.0.0.1:8000"
EMBEDDED_URL = "http://127.0.0.1"


def _auth(base_url: str, api_key: str | None, tokens: TokenStore | None) -> httpx2.Auth | None:
    if api_key is not None:
        return KeyAuth(api_key)
    return None if tokens is None else TokenAuth(tokens, httpx2.URL(base_url))


def _local(url: str | None) -> tuple[str, str | None, TokenStore | None]:
    """Address and credentials of this machine: environment, then what `mutx login` wrote, then what `mutx up` wrote."""
    home = mutx_home()
    login, client = home / "credentials.json", read_private(home / "client.json")
    known = read_private(login)
    url = url or os.environ.get("MUTX_URL") or str(known.get("url") or client.get("url") or DEFAULT_URL)
    key = os.environ.get("MUTX_API_KEY")
    # What is stored belongs to the address it was stored with.
    if key is None and known.get("url") == url and "refresh_token" in known:
        return url, None, FileTokens(login)
    for stored in (known, client):
        if key is None and stored.get("url") == url and stored.get("api_key"):
            key = str(stored["api_key"])
    return url, key, None


class MutxClient(Api[SyncTransport]):
    """The blocking client. May be shared by threads.

        with MutxClient("https://mutx.example.com", api_key=key) as client:
            for agent in client.agents.list().items: ...

    Methods raise the class of `mutx.kit.errors` that the server meant, or `Unreachable`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        tokens: TokenStore | None = None,
        timeout: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`tokens` renew themselves; `transport` replaces the network, as httpx2 means it."""
        self.base_url = base_url
        auth = _auth(base_url, api_key, tokens)
        self.http = httpx2.Client(base_url=base_url, auth=auth, timeout=timeout, transport=transport)
        super().__init__(SyncTransport(self.http))

    @classmethod
    def local(cls, url: str | None = None) -> Self:
        """For this machine's person: MUTX_URL and MUTX_API_KEY, else what `mutx login` or `mutx up` left."""
        url, key, tokens = _local(url)
        return cls(url, api_key=key, tokens=tokens)

    @classmethod
    def embedded(cls, home: str | None = None) -> Self:
        """Over a control plane inside this process, signed in as the local operator; `close` ends it, too."""
        bridge = EmbeddedBridge.start(home)
        with cls(EMBEDDED_URL, transport=bridge.borrowed()) as stranger:
            made = stranger.auth.local_bootstrap(LocalBootstrap())
        return cls(
            EMBEDDED_URL, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token)), transport=bridge
        )

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MutxAsyncClient(Api[AsyncTransport]):
    """The asynchronous client, for one event loop: same groups, same errors, `await` before every call."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        tokens: TokenStore | None = None,
        timeout: float = 30.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url
        auth = _auth(base_url, api_key, tokens)
        self.http = httpx2.AsyncClient(base_url=base_url, auth=auth, timeout=timeout, transport=transport)
        super().__init__(AsyncTransport(self.http))

    @classmethod
    def local(cls, url: str | None = None) -> Self:
        """As `MutxClient.local`."""
        url, key, tokens = _local(url)
        return cls(url, api_key=key, tokens=tokens)

    @classmethod
    async def embedded(cls, home: str | None = None) -> Self:
        """As `MutxClient.embedded`."""
        bridge = EmbeddedBridge.start(home)
        async with cls(EMBEDDED_URL, transport=bridge.borrowed()) as stranger:
            made = await stranger.auth.local_bootstrap(LocalBootstrap())
        return cls(
            EMBEDDED_URL, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token)), transport=bridge
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
