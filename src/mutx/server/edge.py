"""The HTTP edge's limits as settings have them."""

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry

from mutx.kit.clock import Clock
from mutx.server.middleware.client_address import ClientAddress, networks
from mutx.server.middleware.rate_limit import EdgeLimits, refusals
from mutx.server.settings import Settings
from mutx.storage.throttle import Limit, RateLimiter, Throttle

Limiters = Mapping[str, RateLimiter]
"""`general`, `auth` and `hot`."""


def limits_of(settings: Settings) -> Mapping[str, Limit]:
    return {
        "general": Limit(settings.rate_limit_requests, settings.rate_limit_window_seconds),
        "auth": Limit(settings.auth_rate_limit_requests, settings.auth_rate_limit_window_seconds),
        "hot": Limit(settings.governance_rate_limit_requests, settings.governance_rate_limit_window_seconds),
    }


def local_limiters(settings: Settings, clock: Clock) -> Limiters:
    """Limiters that count in this process alone."""
    return {name: Throttle(limit, clock) for name, limit in limits_of(settings).items()}


def edge_limits(
    settings: Settings,
    registry: CollectorRegistry,
    limiters: Limiters,
    *,
    hot: Collection[str],
    exempt: Collection[str],
) -> EdgeLimits:
    return EdgeLimits(
        limiters=limiters,
        hot_paths=frozenset(hot),
        exempt=frozenset(exempt),
        address=ClientAddress(networks(settings.trusted_proxies)),
        refused=refusals(registry),
    )
