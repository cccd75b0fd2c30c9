"""Single sign-on through one provider, put together."""

from mutx.kit.clock import Clock
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.discovery import Provider
from mutx.services.oidc.fetch import Fetcher
from mutx.services.oidc.flow import SignInFlow
from mutx.services.oidc.verify import OidcTokens


class SignOn:
    """What slices need of the provider; nothing is asked of it before it is needed."""

    def __init__(self, config: OidcConfig, clock: Clock) -> None:
        self.config = config
        self._fetcher = Fetcher()
        provider = Provider(config, self._fetcher, clock)
        self.tokens = OidcTokens(config, provider, clock)
        self.flow = SignInFlow(config, provider, self.tokens, self._fetcher)

    async def close(self) -> None:
        await self._fetcher.close()
