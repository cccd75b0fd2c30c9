"""The transport that settings ask for. Each is loaded only when it is chosen, so that importing mutx_agent stays quick."""

from mutx_agent.settings import EMBEDDED, AgentSettings
from mutx_agent.transport.base import Transport


def connect(settings: AgentSettings) -> Transport:
    """Nothing is opened yet: the first call does that."""
    if settings.socket:
        from mutx_agent.transport.unix import SocketTransport

        return SocketTransport(settings.socket, token=settings.api_key, timeout=settings.timeout)
    url = settings.url or ""
    if url.startswith(EMBEDDED):
        from mutx_agent.transport.embedded import EmbeddedTransport

        return EmbeddedTransport(url.removeprefix(EMBEDDED) or None)
    from mutx_agent.transport.http import HttpTransport

    return HttpTransport(url, api_key=settings.api_key, timeout=settings.timeout)
