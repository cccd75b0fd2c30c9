"""Assemble the HTTP side of the control plane: routes, and what every request passes before them."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.resources.health.checks import HealthChecks
from mutx.resources.health.gauges import FleetGauges
from mutx.server.doors.http import HotRoute
from mutx.server.edge import Limiters, edge_limits, local_limiters
from mutx.server.identities import KnownIdentities
from mutx.server.middleware.authenticate import Authenticate
from mutx.server.middleware.body import BodyGuard
from mutx.server.middleware.fast_lane import FastLane
from mutx.server.middleware.hot_lane import HotLane
from mutx.server.middleware.metrics import HttpMetrics, Metrics
from mutx.server.middleware.rate_limit import Doorkeeper, RateLimit
from mutx.server.middleware.request_id import RequestId
from mutx.server.middleware.security import SecurityHeaders, TrustedHosts
from mutx.server.middleware.tracing import Tracing
from mutx.server.openapi import DescribedApi
from mutx.server.settings import Settings
from mutx.web.services import Services

PROBES = ("/health", "/ready", "/metrics")
"""Orchestrators ask these at their own rate."""


class ControlPlaneApp:
    """What a server serves: the middleware around the API. Hot requests leave it before the API's own layers."""

    def __init__(self, api: DescribedApi, outermost: ASGIApp) -> None:
        self.api = api
        self._outermost = outermost

    @property
    def state(self) -> State:
        return self.api.state

    def openapi(self) -> dict[str, Any]:
        return self.api.openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._outermost(scope, receive, send)


def create_app(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    *,
    doors: Mapping[str, HotRoute],
    limiters: Limiters | None = None,
) -> ControlPlaneApp:
    """`doors`: the hot `POST` paths and what serves them, ahead of the router. `limiters`: this process's own unless given."""
    api = DescribedApi(
        docs_url="/docs" if settings.docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
    )
    api.state.services = services
    api.state.health = HealthChecks(services)
    api.state.gauges = FleetGauges(services.registry)
    outermost: ASGIApp = api
    limiters = limiters or local_limiters(settings, services.clock)
    for layer in reversed(middleware(services, settings, identities, doors, limiters)):
        outermost = layer.cls(outermost, *layer.args, **layer.kwargs)
    return ControlPlaneApp(api, outermost)


def middleware(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    doors: Mapping[str, HotRoute],
    limiters: Limiters,
) -> list[Middleware]:
    """From the outside in."""
    metrics = HttpMetrics(services.registry)
    limits = edge_limits(settings, services.registry, limiters, hot=doors.keys(), exempt=PROBES)
    return [
        Middleware(
            HotLane,
            routes=doors,
            hosts=TrustedHosts(_nothing, names=settings.hosts),
            identities=identities,
            throttle=limiters["hot"],
            metrics=metrics,
            limit=settings.max_body_bytes,
        ),
        Middleware(Metrics, metrics=metrics),
        Middleware(RequestId),
        Middleware(Tracing),
        Middleware(SecurityHeaders),
        Middleware(TrustedHosts, names=settings.hosts),
        *([_cors(settings)] if settings.cors_origins else []),
        Middleware(Doorkeeper, limits=limits, identities=identities),
        Middleware(Authenticate, identities=identities),
        Middleware(RateLimit, limits=limits),
        Middleware(BodyGuard, limit=settings.max_body_bytes, unread=doors.keys()),
        Middleware(FastLane, doors=doors),
    ]


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
        allow_credentials="*" not in settings.cors_origins,  # the sign-in cookie; which looks at the origin itself
    )


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands inside a middleware of which only the judgement is asked."""
