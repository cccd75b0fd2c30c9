"""A proxy with one client: the one at the other end of standard input and output."""

from mutx.services.mcp.relay import Context
from mutx.services.mcp.session import ProxySession


class OneSession:
    """Implements `Sessions`."""

    def __init__(self, session: ProxySession) -> None:
        self._session = session

    async def of(self, ctx: Context) -> ProxySession:
        return self._session
